"""Verdicts: what was measured, what was promised, and whether they fit."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import atanh, exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

import numpy as np

from datasets.build.audit.statistic import Attack
from datasets.privacy.axis import Floats
from datasets.privacy.zcdp import epsilon


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of an audit; it passes where `measured` is at most `limit`."""

    pair: str
    test: str
    measured: float
    limit: float

    @property
    def passed(self) -> bool:
        return self.measured <= self.limit


def verdicts(pair: str, attack: Attack, rho: Fraction, confidence: float, delta: float) -> list[Verdict]:
    """The verdicts of one pair: d' of the best linear discriminant, a lower bound on epsilon, independence of noise."""
    builds = len(attack.without)
    off, on = attack.without @ attack.weights, attack.with_ @ attack.weights
    spread = sqrt((float(off.var(ddof=1)) + float(on.var(ddof=1))) / 2)
    d = float(on.mean() - off.mean()) / spread if spread else float("inf")
    return [
        Verdict(pair, "d'", d, sqrt(2 * rho) + 3 * sqrt(2 / builds)),
        Verdict(pair, "epsilon", epsilon_bound(off, on, confidence, delta), epsilon(rho, delta)),
        Verdict(pair, "shared noise", *shared_noise(attack.without, attack.with_)),
    ]


def epsilon_bound(off: Floats, on: Floats, confidence: float, delta: float) -> float:
    """A lower bound on epsilon at delta with `confidence`, from a threshold chosen on the first half of the builds.

    Any (epsilon, delta)-private mechanism has true positives <= e^epsilon · false positives + delta; both rates are
    bounded by Clopper and Pearson (1934) on the second half, as Jagielski, Ullman and Oprea (2020) do.
    """
    half = len(off) // 2
    best, threshold = -1.0, 0.0
    for at in np.sort(np.concatenate((off[:half], on[:half]))):
        gain = float((on[:half] >= at).mean()) / (float((off[:half] >= at).mean()) + 1 / half)
        best, threshold = max((best, threshold), (gain, float(at)))
    each = (1 - confidence) / 2
    trials = len(off) - half
    hits, alarms = int((on[half:] >= threshold).sum()), int((off[half:] >= threshold).sum())
    low = 1 - clopper_pearson_upper(trials - hits, trials, each)
    high = clopper_pearson_upper(alarms, trials, each)
    return max(0.0, log((low - delta) / high)) if low > delta else 0.0


def clopper_pearson_upper(hits: int, trials: int, error: float) -> float:
    """The largest probability at which so few hits have a chance of at least `error`: Clopper and Pearson (1934)."""
    if hits >= trials:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        p = (low + high) / 2
        low, high = (p, high) if _at_most(hits, trials, p) > error else (low, p)
    return high


def _at_most(hits: int, trials: int, p: float) -> float:
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


def shared_noise(without: Floats, with_: Floats) -> tuple[float, float]:
    """The largest |Fisher z| of a correlation between two residuals' scores, and the limit that one audit in 10^4 passes."""
    scores = np.concatenate((without - without.mean(0), with_ - with_.mean(0)))
    residuals = scores.shape[1]
    if residuals < 2:
        return 0.0, 0.0
    pairs = np.triu_indices(residuals, 1)
    largest = min(float(np.abs(np.corrcoef(scores.T)[pairs]).max()), 1 - 1e-12)
    limit = NormalDist().inv_cdf(1 - 1e-4 / (2 * len(pairs[0])))
    return atanh(largest) * sqrt(len(scores) - 4), limit
