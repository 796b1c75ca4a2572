"""A lower bound on epsilon from how often an attack succeeds, with the confidence of Clopper and Pearson (1934)."""

from __future__ import annotations

from math import exp, lgamma, log, log1p

import numpy as np

from datasets.privacy.axis import Floats


def epsilon_bound(off: Floats, on: Floats, confidence: float, delta: float) -> float:
    """A lower bound on epsilon at delta with `confidence`, from a threshold that is chosen on the first half of the builds.

    `off` and `on` are the scores without and with the canary, of shape (builds,). For any (epsilon, delta)-private mechanism,
    true positives <= e^epsilon · false positives + delta. Both rates are bounded on the second half of the builds, each with
    half of the error, as in Jagielski, Ullman and Oprea (2020).
    """
    half = len(off) // 2
    best, threshold = -1.0, 0.0
    for at in np.sort(np.concatenate((off[:half], on[:half]))):
        gain = float((on[:half] >= at).mean()) / (float((off[:half] >= at).mean()) + 1 / half)
        best, threshold = max((best, threshold), (gain, float(at)))
    each = (1 - confidence) / 2
    trials = len(off) - half
    hits, alarms = int((on[half:] >= threshold).sum()), int((off[half:] >= threshold).sum())
    low = 1 - upper_limit(trials - hits, trials, each)
    high = upper_limit(alarms, trials, each)
    return max(0.0, log((low - delta) / high)) if low > delta else 0.0


def upper_limit(hits: int, trials: int, error: float) -> float:
    """The largest probability p such that at most `hits` hits in `trials` trials have a probability of at least `error`.

    >>> round(upper_limit(0, 10, 0.025), 4)
    0.3085
    """
    if hits >= trials:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(50):
        p = (low + high) / 2
        low, high = (p, high) if _at_most(hits, trials, p) > error else (low, p)
    return high


def _at_most(hits: int, trials: int, p: float) -> float:
    """The probability of at most `hits` hits in `trials` trials, each with probability `p`."""
    return sum(
        exp(
            lgamma(trials + 1)
            - lgamma(k + 1)
            - lgamma(trials - k + 1)
            + k * log(p)
            + (trials - k) * log1p(-p)
        )
        for k in range(hits + 1)
    )
