"""Measuring activity: exact integers, two independent discrete Gaussians per band, at a cost of at most rho.

Of each band e, C_e is the number of persons and P_e the sum of their offsets, rows - mid_e. 2 P_e is a whole number; noise is
added to it. The proof of the cost is in docs/privacy/activity.md#what-it-costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from datasets.privacy.activity.bands import ActivityBands, Integers
from datasets.privacy.axis import Floats
from datasets.privacy.discrete_gaussian import MAX_SCALE
from datasets.privacy.plan import root_above
from datasets.privacy.residuals import ExactTable, Noise, NoisyTable, TooManyRows

PERSONS, OFFSETS = 0, 1
"""The rows of an activity table: number of persons, and sum of offsets (twice that in an exact table)."""

OFFSETS_PART = Fraction(1, 4)
"""The part of rho that the offsets get (docs/privacy/activity.md#the-split)."""

_MAX_SUM = 1 << 61


@dataclass(frozen=True)
class ActivityPlan:
    """The noise of an activity table. Reads no data.

    Raises ValueError if rho is not above 0, the offsets' part not between 0 and 1, or noise wider than can be drawn exactly.
    """

    bands: ActivityBands
    rho: Fraction
    offsets_part: Fraction = OFFSETS_PART

    def __post_init__(self) -> None:
        if not (self.rho > 0 and 0 < self.offsets_part < 1):
            raise ValueError(
                f"rho={self.rho}, offsets_part={self.offsets_part}: rho is above 0, the part between 0 and 1"
            )
        if self.scales.max() > MAX_SCALE:
            raise ValueError(
                f"strata={self.bands.strata}, rho={self.rho}: noise of scale {self.scales.max():.3g} is above "
                f"{MAX_SCALE:.3g}; give more rho, or a lower bound"
            )

    @cached_property
    def scales(self) -> Floats:
        """Scales of the noise of C_e and of 2 P_e, shape (2, bands), rounded up; 0 if a band has no offsets.

        docs/privacy/activity.md#what-it-costs; rounding up makes the cost at most rho, exactly.
        """
        persons = root_above(1 / (2 * (1 - self.offsets_part) * self.rho))
        offsets = (
            root_above(Fraction(int(twice) ** 2) / (2 * self.offsets_part * self.rho)) if twice else 0.0
            for twice in self.bands.twice_half
        )
        return np.array([[persons] * len(self.bands.ends), [*offsets]])

    @cached_property
    def variances(self) -> Floats:
        """Variances of the noise of C_e (persons²) and P_e (rows²), shape (2, bands)."""
        return (self.scales / [[1.0], [2.0]]) ** 2

    def loss(self, rows: int) -> Fraction:
        """What the table costs a person with so many rows: at most rho, in exact arithmetic.

        >>> from datasets.privacy.activity.bands import activity_bands
        >>> one = ActivityPlan(activity_bands([5, 20]), Fraction(1, 500))
        >>> [round(float(one.loss(rows)) * 500, 9) for rows in (1, 3, 4, 5)]
        [0.75, 1.0, 0.75, 1.0]
        """
        moved = count_activity(self.bands, [rows]).counts
        pairs = zip(moved.flat, self.scales.flat, strict=True)
        return sum(
            (Fraction(int(by) ** 2) / (2 * Fraction(float(scale)) ** 2) for by, scale in pairs if by),
            Fraction(0),
        )


def count_activity(bands: ActivityBands, rows: ArrayLike, persons: ArrayLike = 1) -> ExactTable:
    """C_e and 2 P_e from the number of rows of each person: shape (2, bands), integers, private.

    `persons` says how many persons have so many rows, if `rows` are those of a histogram. A person without rows is in no
    band, one with more than `bands.most` counts as one with `bands.most`: docs/privacy/activity.md#what-is-counted. Raises
    ValueError if a number is no whole number from 0 on, TooManyRows if the sums would not fit exact 64-bit arithmetic.

    >>> from datasets.privacy.activity.bands import activity_bands
    >>> count_activity(activity_bands([2, 5]), [1, 1, 3, 4, 5, 9, 1000]).counts.tolist()
    [[2, 0, 3, 1, 0, 1], [0, 0, 0, 2, 0, 29]]
    """
    rows, persons = np.broadcast_arrays(_as_counts("rows", rows), _as_counts("persons", persons))
    if float(persons.astype(np.float64).sum()) * bands.most >= _MAX_SUM:
        raise TooManyRows("persons: so many persons do not fit exact 64-bit arithmetic")
    rows, persons = rows[rows > 0], persons[rows > 0]
    band = bands.band_of(rows)
    counts = np.zeros((2, len(bands.ends)), dtype=np.int64)
    np.add.at(counts[PERSONS], band, persons)
    np.add.at(counts[OFFSETS], band, persons * (2 * np.minimum(rows, bands.most) - bands.twice_mid[band]))
    return ExactTable(counts)


def measure_activity(plan: ActivityPlan, exact: ExactTable, noise: Noise) -> NoisyTable:
    """C_e (persons) and P_e (rows) with noise, shape (2, bands): at most `plan.rho` for each person.

    A batch may precede these two axes. What a band without offsets has there is not read: it is 0 and gets no noise.
    Raises ValueError if the table does not fit the bands.
    """
    if exact.counts.shape[-2:] != plan.scales.shape:
        raise ValueError(f"exact: its shape {exact.counts.shape} does not end in {plan.scales.shape}")
    drawn = plan.scales > 0
    noisy = np.zeros(exact.counts.shape, dtype=np.int64)
    measured = exact.counts[..., drawn]
    noisy[..., drawn] = measured + noise(np.broadcast_to(plan.scales[drawn], measured.shape))
    return NoisyTable(noisy / np.array([[1.0], [2.0]]))


def _as_counts(name: str, numbers: ArrayLike) -> Integers:
    counts = np.atleast_1d(np.asarray(numbers))
    whole = np.issubdtype(counts.dtype, np.integer)
    if counts.size and not (whole and counts.min() >= 0 and counts.max() <= _MAX_SUM):
        raise ValueError(f"{name}: they are whole numbers from 0 to 2^61")
    return counts.astype(np.int64)
