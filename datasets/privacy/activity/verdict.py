"""Whether the rows that the bound drops matter more than noise (docs/privacy/activity.md#when-bias-may-exceed-noise).

Nothing here corrects a count: the loss of a cell is told on the assumption that the rows that heavy persons lose look like
those that they keep.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from datasets.privacy.activity.shares import LEAST_KEPT, NoisyActivity, counted_rows, kept_share, kept_shares
from datasets.privacy.axis import Floats
from datasets.privacy.ratio import Ratio

Verdict = Literal["fine", "bias", "unknown"]

REFERENCE = 0.01
"""The size of the reference cell of a measure, as a part of all rows, if the measure declares none."""


@dataclass(frozen=True, slots=True)
class BiasStatus:
    """What the bound does to a measure: `lost` is lambda with its 95 % interval.

    Of the reference cell, `cell` are its rows, `bias` the lost ones among them with a 95 % interval, and `noise` is its
    standard error. `cell` and `bias` are None if lambda is unknown.
    """

    lost: Ratio
    cell: float | None
    bias: Ratio
    noise: float
    verdict: Verdict


def lost_share(activity: NoisyActivity) -> Ratio:
    """lambda: the share of the seen rows that the bound m_S drops, with a 95 % interval."""
    kept = kept_share(activity, activity.bands.bound)
    return Ratio(*(None if each is None else 1 - each for each in (kept.value, kept.high, kept.low)))


def bias_status(activity: NoisyActivity, noise: float, reference: float = REFERENCE) -> BiasStatus:
    """The status of a measure whose reference cell has `reference` of all rows, and there the standard error `noise`.

    `fine`: the upper end of the bias is at most the noise; `bias`: its lower end is above; `unknown`: neither, or lambda has
    no interval. docs/privacy/activity.md#the-verdict. Raises ValueError if `noise` is not above 0, `reference` not in (0, 1].
    """
    if not (0 < noise < inf and 0 < reference <= 1):
        raise ValueError(
            f"noise={noise}, reference={reference}: noise is above 0, reference above 0 and at most 1"
        )
    lost = lost_share(activity)
    if lost.value is None:
        return BiasStatus(lost, None, Ratio(None, None, None), noise, "unknown")
    bands = activity.bands
    seen, kept = (counted_rows(bands, m) for m in (bands.most, bands.bound))
    found = activity.estimate(reference * np.stack([seen, seen - kept]))
    value, low, high = (max(0.0, float(each[1])) for each in (found.value, found.low, found.high))
    verdict: Verdict = "fine" if high <= noise else "bias" if low > noise else "unknown"
    return BiasStatus(lost, float(found.value[0]), Ratio(value, low, high), noise, verdict)


def lost_rows(counts: ArrayLike, kept: float) -> Floats:
    """Rows that the bound dropped from cells with these counts, if the share `kept` was kept: count · (1/kept - 1).

    The loss falls with the kept share, so the **lower** end of its interval gives the upper end of the loss.

    >>> lost_rows([300.0], 0.5).tolist()
    [300.0]
    """
    return np.asarray(counts, dtype=np.float64) * (1 / kept - 1)


def bias_may_exceed_noise(counts: ArrayLike, errors: ArrayLike, kept: Ratio) -> NDArray[np.bool_]:
    """Whether the bias of each answer may be larger than its standard error.

    `counts` are the answers in the top stratum alone, `errors` the standard errors of the answers, and `kept` is kappa_S. The
    largest loss that its interval allows decides. Without an interval 1/10 is taken, below which kappa_S cannot be.
    docs/privacy/activity.md#per-answer.
    """
    return lost_rows(counts, _least_kept(kept)) > np.asarray(errors, dtype=np.float64)


def count_at_which_bias_may_exceed_noise(errors: ArrayLike, kept: Ratio) -> Floats:
    """The least count from which the bias of an answer with this standard error may exceed it; infinite if nothing is lost.

    With kappa_S it is a count in the top stratum; with K(m_S)/K(most), a count of all strata together, of a cell in which
    heavy persons have the same share as in the whole. docs/privacy/activity.md#per-cuboid.

    >>> count_at_which_bias_may_exceed_noise(100.0, Ratio(0.6, 0.5, 0.7)).tolist()
    100.0
    """
    loss = 1 / _least_kept(kept) - 1
    errors = np.asarray(errors, dtype=np.float64)
    return errors / loss if loss > 0 else np.full(errors.shape, inf)


def advise_bound(activity: NoisyActivity, error_of_one: float, reference: float = REFERENCE) -> int | None:
    """The bound for later months: the end m of a band with the least (lambda(m) · x)² + (m · error_of_one)².

    x is the reference cell, `error_of_one` its standard error if each person counts once. Only released numbers of an
    earlier month go in (docs/privacy/activity.md#advice-for-later-months). None if the rows are lost in noise.
    """
    kept = kept_shares(activity).value
    if np.isnan(kept).any():
        return None
    bands = activity.bands
    seen = float(activity.sums(counted_rows(bands, bands.most)[None])[0][0])
    square = ((1 - kept) * reference * seen) ** 2 + (np.array(bands.ends) * error_of_one) ** 2
    return bands.ends[int(np.argmin(square))]


def _least_kept(kept: Ratio) -> float:
    """The lower end of a kept share, which gives the largest loss."""
    return LEAST_KEPT if kept.low is None else max(LEAST_KEPT, kept.low)
