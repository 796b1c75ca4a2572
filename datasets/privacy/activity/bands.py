"""Bands of the number of rows of a person in a month (docs/privacy/activity.md#bands)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

SEEN_MULTIPLE = 10
"""Rows of a person are seen up to this many times the highest bound; a person with more counts as one with so many."""


@dataclass(frozen=True)
class ActivityBands:
    """Bands of rows per person: band e holds the persons with ends[e-1] + 1 to ends[e] rows; the first begins at 1.

    `strata` are the bounds m_1 < ... < m_S of the measure; each of them is the end of a band.
    """

    strata: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def bound(self) -> int:
        """m_S: the most rows of one person that the measure counts."""
        return self.strata[-1]

    @property
    def most(self) -> int:
        """The most rows of one person that are seen here."""
        return self.ends[-1]

    @cached_property
    def firsts(self) -> Integers:
        """The least number of rows in each band."""
        return np.array((1, *(end + 1 for end in self.ends[:-1])), dtype=np.int64)

    @cached_property
    def twice_mid(self) -> Integers:
        """Twice the middle of each band: whole, since the middle may be a half.

        >>> activity_bands([2, 5]).twice_mid.tolist()
        [2, 4, 8, 15, 31, 71]
        """
        return self.firsts + np.array(self.ends, dtype=np.int64)

    @cached_property
    def twice_half(self) -> Integers:
        """Twice half the width of each band: the last minus the first number of rows in it.

        >>> activity_bands([2, 5]).twice_half.tolist()
        [0, 0, 2, 4, 9, 29]
        """
        return np.array(self.ends, dtype=np.int64) - self.firsts

    @cached_property
    def stratum(self) -> Integers:
        """The stratum of the persons of each band, from 0; all bands above m_S belong to the last."""
        found: Integers = np.minimum(np.searchsorted(self.strata, self.ends), len(self.strata) - 1)
        return found

    def band_of(self, rows: Integers) -> Integers:
        """The band of each number of rows, from 0; every number from the last end on is in the last band."""
        return np.minimum(np.searchsorted(self.ends, rows), len(self.ends) - 1)


def activity_bands(strata: Sequence[int]) -> ActivityBands:
    """The bands of a measure with these bounds: round ends up to ten times the highest bound, and the bounds themselves.

    Round are 1, 2, 5, 10, 20, 50, 100, 250, 500, 1000, 2500, ...; docs/privacy/activity.md#bands. Raises ValueError if the
    bounds are not whole numbers from 1 on, each above the one before; of equal caps one is given.

    >>> activity_bands([5, 20]).ends
    (1, 2, 5, 10, 20, 50, 100, 200)
    """
    bounds = tuple(strata)
    whole = all(isinstance(bound, int) for bound in bounds)
    if not bounds or not whole or any(low >= high for low, high in pairwise((0, *bounds))):
        raise ValueError(f"strata={bounds}: they are whole numbers from 1 on, each above the one before")
    most = SEEN_MULTIPLE * bounds[-1]
    return ActivityBands(bounds, tuple(sorted({*_round_ends(most), *bounds, most})))


def _round_ends(most: int) -> Iterator[int]:
    """1, 2, 5, 10, ..., 100, 250, 500, 1000, 2500, ... up to `most`."""
    power = 1
    while power <= most:
        second = 2 * power if power < 100 else 5 * power // 2
        yield from (end for end in (power, second, 5 * power) if end <= most)
        power *= 10
