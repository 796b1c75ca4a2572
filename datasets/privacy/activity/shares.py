"""What a noisy activity table says: rows that a bound keeps, persons in each stratum, rows of the most active persons.

Every number is a weighted sum of the table's entries, whose noise is independent, or a ratio of two such sums with
Fieller's interval. A share has a value only if it has an interval (docs/privacy/activity.md#kept-shares).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from datasets.privacy.activity.bands import SEEN_MULTIPLE, ActivityBands
from datasets.privacy.activity.measuring import PERSONS, ActivityPlan
from datasets.privacy.axis import Floats
from datasets.privacy.estimate import Estimate
from datasets.privacy.ratio import CLEAR, Ratio, fieller, ratios
from datasets.privacy.residuals import NoisyTable

LEAST_KEPT = 1 / SEEN_MULTIPLE
"""A person of whom `most` rows are seen keeps m_S of them, and everybody else a larger share."""

Z = 1.959963984540054
THREE_LIMITS = NormalDist().inv_cdf(1 - 0.05 / 3)
"""The normal quantile with which three limits hold together with 95 % (Bonferroni)."""


@dataclass(frozen=True, eq=False)
class NoisyActivity:
    """A published activity table: `values` (2, bands) are C_e in persons and P_e in rows, with the variances of their noise.

    A batch of tables may precede these two axes of `values`.
    """

    bands: ActivityBands
    values: Floats
    variances: Floats

    @classmethod
    def of(cls, plan: ActivityPlan, table: NoisyTable) -> NoisyActivity:
        """A table that was measured by this plan."""
        return cls(plan.bands, table.values, plan.variances)

    def sums(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weighted sums of the entries, (..., k), for weights (k, 2, bands), and the covariances of their noise, (k, k)."""
        values = np.einsum("...be,kbe->...k", self.values, weights)
        return values, np.einsum("jbe,be,kbe->jk", weights, self.variances, weights)

    def estimate(self, weights: Floats, z: float = Z) -> Estimate:
        """Weighted sums, (..., k), each with its standard error and interval."""
        value, covariance = self.sums(weights)
        error = np.broadcast_to(np.sqrt(np.diagonal(covariance)), value.shape)
        return Estimate(value, error, value - z * error, value + z * error)


def counted_rows(bands: ActivityBands, m: int, stratum: int = 0) -> Floats:
    """The weights of K(m), shape (2, bands): rows if at most m of each person count, of the strata from `stratum` on.

    m is the end of a band, or 0. docs/privacy/activity.md#kept-shares.
    """
    below = np.array(bands.ends) <= m
    weights = np.stack([np.where(below, bands.twice_mid / 2, m), below])
    return np.where(bands.stratum >= stratum, weights, 0.0)


def kept_shares(activity: NoisyActivity) -> Estimate:
    """K(m)/K(most) at the end m of each band, (..., bands), with 95 % intervals; all NaN if K(most) is lost in noise.

    Values and ends of intervals are clipped to [m/most, 1], where the true share lies. docs/privacy/activity.md#kept-shares.
    """
    ends = activity.bands.ends
    rows = np.stack([counted_rows(activity.bands, end) for end in ends])
    return _shares_of(activity, rows, rows[-1], np.array(ends) / ends[-1])


def kept_share(activity: NoisyActivity, m: int) -> Ratio:
    """The share of rows that would be kept if at most m of each person counted; its 95 % interval.

    Between two ends of bands there is no value, only limits: K is concave, so it lies above the chord and below the extended
    chords of its neighbours. All three are None if K(most) is lost in noise. docs/privacy/activity.md#between-the-ends.
    Raises ValueError if m is not from 1 to `bands.most`.
    """
    bands = activity.bands
    if not 1 <= m <= bands.most:
        raise ValueError(f"m={m}: it is from 1 to {bands.most}, up to which rows of a person were seen")
    if m in bands.ends:
        return _one(_shares_of(activity, counted_rows(bands, m)[None], _whole(bands), m / bands.most))
    chord, *above = _chords(bands, m)
    limits = _shares_of(activity, np.stack([chord, *above]), _whole(bands), m / bands.most, THREE_LIMITS)
    return _limits(limits.low[0], limits.high[1:].min())


def kept_on_top(activity: NoisyActivity) -> Ratio:
    """kappa_S: the share of the rows of the persons in the top stratum that are kept, with a 95 % interval.

    docs/privacy/activity.md#where-rows-are-lost.
    """
    bands = activity.bands
    top = len(bands.strata) - 1
    kept, whole = (counted_rows(bands, m, top) for m in (bands.bound, bands.most))
    return _one(_shares_of(activity, kept[None], whole, LEAST_KEPT))


def share_of_seen(activity: NoisyActivity, counted: float, variance: float) -> Ratio:
    """The published count of a measure as a share of K(most); the two have independent noise.

    For a measure whose bound in a stratum is not the stratum's own. docs/privacy/activity.md#measures-of-flagged-events.
    """
    (seen,), moments = activity.sums(_whole(activity.bands)[None])
    ratio = fieller(counted, float(seen), var_numerator=variance, var_denominator=float(moments[0, 0]))
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return Ratio(None, None, None)
    return Ratio(*(float(np.clip(each, 0.0, 1.0)) for each in (ratio.value, ratio.low, ratio.high)))


def persons_per_stratum(activity: NoisyActivity) -> Estimate:
    """Persons in each stratum, (..., strata), with standard error and 95 % interval."""
    bands = activity.bands
    weights = np.zeros((len(bands.strata), 2, len(bands.ends)))
    weights[bands.stratum, PERSONS, np.arange(len(bands.ends))] = 1.0
    return activity.estimate(weights)


@dataclass(frozen=True, slots=True)
class MostActive:
    """The most active part of the persons: how many they are, and limits of their rows and of their share of all rows."""

    persons: float
    rows: tuple[float, float]
    share: tuple[float, float]


def most_active(activity: NoisyActivity, part: float = 0.01) -> MostActive | None:
    """Rows of the most active `part` of all persons; the limits are those of the band into which the part falls.

    They hold with 95 % together. None if the persons or the rows are lost in noise. docs/privacy/activity.md#the-most-active.
    Raises ValueError if `part` is not between 0 and 1.
    """
    if not 0 < part < 1:
        raise ValueError(f"part={part}: it is between 0 and 1")
    everybody = activity.estimate(_persons_from(activity.bands, 0)[None])
    if everybody.value[0] < CLEAR * everybody.error[0]:
        return None
    weights = _limits_of_part(activity, part, float(everybody.value[0]))
    shares = _shares_of(activity, weights, _whole(activity.bands), part, THREE_LIMITS)
    if np.isnan(shares.low[0]):
        return None
    rows = activity.estimate(weights, THREE_LIMITS)
    (low, *_), (_, *highs) = rows.low, rows.high
    share = _limits(shares.low[0], shares.high[1:].min())
    return MostActive(
        part * float(everybody.value[0]),
        (max(0.0, float(low)), max(0.0, float(min(highs)))),
        (share.low or 0.0, share.high or 0.0),
    )


def _limits_of_part(activity: NoisyActivity, part: float, persons: float) -> Floats:
    """Weights of three sums, (3, 2, bands): one not above the rows of the most active part, two not below.

    Band e is that in which the part ends. Its persons who belong to the part have on average at least the band's mean rows,
    and at most its end; those who do not belong have at least its first number of rows.
    """
    bands = activity.bands
    counts = activity.values[PERSONS]
    reaches = np.cumsum(counts[::-1])[::-1] >= part * persons
    e = int(np.flatnonzero(reaches)[-1])
    above, here = _rows_from(bands, e + 1), _rows_from(bands, e) - _rows_from(bands, e + 1)
    missing = part * _persons_from(bands, 0) - _persons_from(bands, e + 1)
    mean = float(np.clip(activity.sums(here[None])[0][0] / counts[e], bands.firsts[e], bands.ends[e]))
    taken = float(activity.sums(missing[None])[0][0] / counts[e])
    rest = missing - (_persons_from(bands, e) - _persons_from(bands, e + 1))
    correction = here - mean * (_persons_from(bands, e) - _persons_from(bands, e + 1))
    return np.stack(
        [above + mean * missing + taken * correction, above + bands.ends[e] * missing, above + here + bands.firsts[e] * rest]
    )  # fmt: skip


def _rows_from(bands: ActivityBands, e: int) -> Floats:
    """The weights of the rows of all persons from band e on."""
    return np.where(np.arange(len(bands.ends)) >= e, _whole(bands), 0.0)


def _persons_from(bands: ActivityBands, e: int) -> Floats:
    weights = np.zeros((2, len(bands.ends)))
    weights[PERSONS, e:] = 1.0
    return weights


def _whole(bands: ActivityBands) -> Floats:
    return counted_rows(bands, bands.most)


def _chords(bands: ActivityBands, m: int) -> tuple[Floats, Floats, Floats]:
    """The weights of the chord at m, and of the two extended chords above it; K(0) = 0, and K is constant from `most` on."""
    ends = (0, *bands.ends, bands.most + 1)
    at = int(np.searchsorted(ends, m))

    def line(first: int, second: int) -> Floats:
        a, b = ends[first], ends[second]
        k_a, k_b = (counted_rows(bands, min(end, bands.most)) for end in (a, b))
        return k_a + (m - a) / (b - a) * (k_b - k_a)

    return line(at - 1, at), line(at - 2, at - 1), line(at, at + 1)


def _shares_of(
    activity: NoisyActivity, parts: Floats, whole: Floats, least: ArrayLike, z: float = Z
) -> Estimate:
    """Shares of weighted sums in another one, (..., k), clipped to [least, 1]; NaN wherever there is no interval."""
    values, covariance = activity.sums(np.concatenate([parts, whole[None]]))
    square = np.diagonal(covariance)
    value, error, low, high = ratios(
        values[..., :-1], values[..., -1:], square[:-1], square[-1], covariance[:-1, -1], z
    )
    value = np.where(np.isnan(low), np.nan, value)
    return Estimate(*(np.clip(value, least, 1.0), error, np.clip(low, least, 1.0), np.clip(high, least, 1.0)))


def _one(shares: Estimate) -> Ratio:
    """The only share of an estimate; None in place of NaN."""
    return Ratio(
        *(None if np.isnan(each[0]) else float(each[0]) for each in (shares.value, shares.low, shares.high))
    )


def _limits(low: float, high: float) -> Ratio:
    """Limits without a value; None if there are none."""
    return Ratio(None, None, None) if np.isnan(low) else Ratio(None, float(low), float(high))
