"""Strata of activity: an event measure as one table for each class of persons, by how many rows they have.

A person with k rows in a month is in the first stratum whose bound m_s is at least k, or in the last one. Each stratum has
its own plan, at sensitivity m_s and at the whole rho of the measure: all rows of a person are in one stratum, so a person
pays for one of them (docs/privacy/strata.md#privacy). The sum over any set of strata is again a release of residuals, whose
variances are the sums (docs/privacy/strata.md#sums-over-strata).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.privacy.axis import Axis
from datasets.privacy.plan import Plan, cuboid_weights, plan
from datasets.privacy.residuals import ExactTable, Integers, Noise, NoisyTable, measure

Scale = Literal["small", "medium", "large"]
"""How many rows a dataset has in a month: below 3 million, 3 to 10 million, or more. Part of a dataset's version."""

StrataSet = Collection[int]
"""Numbers of strata, counted from 0, the lowest."""


@dataclass(frozen=True)
class Strata:
    """The bounds T = (m_1 < ... < m_S), in rows of a person and month, and the most rows that a measure keeps of each.

    The latter are the bounds, or the `caps` of a measure that counts only rows with a flag, of which rows above the cap are
    dropped in every stratum (docs/privacy/strata.md#definition). Raises ValueError if bounds do not rise, or if caps are not
    one positive number for each stratum, at most its bound.

    >>> Strata((5, 20, 100)).stratum(np.array([1, 5, 6, 20, 21, 100, 5000]))
    array([0, 0, 1, 1, 2, 2, 2])
    """

    bounds: tuple[int, ...]
    caps: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.bounds or self.bounds[0] < 1 or any(low >= high for low, high in pairwise(self.bounds)):
            raise ValueError(
                f"bounds of strata {self.bounds} must be positive numbers of rows that rise, such as (5, 20)"
            )
        if self.caps and not self._are_caps_possible():
            raise ValueError(
                f"caps {self.caps} must be one positive number of rows for each of the bounds {self.bounds}, "
                "at most that bound"
            )

    def _are_caps_possible(self) -> bool:
        is_complete = len(self.caps) == len(self.bounds)
        return is_complete and all(1 <= c <= m for c, m in zip(self.caps, self.bounds, strict=True))

    @property
    def kept(self) -> tuple[int, ...]:
        """The most rows of one person that the measure counts, for each stratum."""
        return self.caps or self.bounds

    def stratum(self, rows: Integers) -> NDArray[np.intp]:
        """The stratum of each person, by the number of all their valid rows of the month; same shape as `rows`."""
        return np.minimum(np.searchsorted(self.bounds, rows), len(self.bounds) - 1)

    def keep_rows(self, rows: Integers, ranks: Integers) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The stratum of each row, and whether it is counted; same shape as `rows` and `ranks`.

        `rows` is the number of all rows of the row's person. `ranks` is the row's place, from 1 on and in hash order, among
        those rows of the person that the measure may count (all, or those with its flag).
        """
        stratum = self.stratum(rows)
        return stratum, ranks <= np.array(self.kept)[stratum]

    def sets_from_below(self) -> tuple[range, ...]:
        """All strata, then all without the top one, and so on down to the lowest alone: what a preview shows."""
        return tuple(range(top) for top in range(len(self.bounds), 0, -1))


@dataclass(frozen=True)
class StrataPlan:
    """One plan for each stratum, the lowest first, all with the same cuboids and the same rho.

    `rho` is what the measure costs each person: that of their stratum, not the sum (docs/privacy/strata.md#privacy).
    """

    strata: Strata
    plans: tuple[Plan, ...]

    @property
    def rho(self) -> Fraction:
        return max(each.rho for each in self.plans)

    def variances(self, chosen: StrataSet) -> dict[Cuboid, float]:
        """s_B of the sum over the chosen strata, in published units squared: the sum of theirs. Raises ValueError."""
        plans = [self.plans[number] for number in _numbers(chosen, len(self.plans))]
        return {b: sum(each.variances[b] for each in plans) for b in self.plans[0].rho_of}

    def mean_variance(self, cuboid: Cuboid, chosen: StrataSet) -> float:
        """The variance of a cell of the sum over the chosen strata, averaged over the cells of a published cuboid."""
        numbers = _numbers(chosen, len(self.plans))
        return sum(self.plans[number].mean_variance(cuboid) for number in numbers)


def plan_strata(
    axes: Sequence[Axis],
    workload: Sequence[Cuboid],
    strata: Strata,
    *,
    rho: Fraction,
    half_range: int = 1,
    scale: Scale = "medium",
    important: Collection[Cuboid] = (),
) -> StrataPlan:
    """A plan for each stratum, each at the whole `rho`, with sensitivity (most rows kept) times `half_range`.

    `half_range` is half the range that a sum is clamped to, in its units; 1 for a count. The top stratum has weights 1/cells,
    which favour margins, unless the scale is small or it is the only one; the others have 1/sqrt(cells)
    (docs/privacy/strata.md#weights). Raises ValueError as `plan` does.
    """
    busiest = len(strata.bounds) - 1 if scale != "small" else 0

    def plan_one(number: int, kept: int) -> Plan:
        power = 1.0 if 0 < number == busiest else 0.5
        weights = cuboid_weights(axes, workload, important, power=power)
        return plan(axes, workload, rho=rho, sensitivity=kept * half_range, weights=weights)

    return StrataPlan(strata, tuple(plan_one(number, kept) for number, kept in enumerate(strata.kept)))


def measure_strata(
    planned: StrataPlan, exact: Sequence[Mapping[Cuboid, ExactTable]], noise: Noise
) -> tuple[dict[Cuboid, NoisyTable], ...]:
    """The noisy residuals of each stratum, from its exact tables; noise is independent between strata.

    Raises TooManyRows as `measure` does, and ValueError if there is not one set of tables for each stratum.
    """
    return tuple(measure(each, tables, noise) for each, tables in zip(planned.plans, exact, strict=True))


def sum_strata(
    residuals: Sequence[Mapping[Cuboid, NoisyTable]], chosen: StrataSet
) -> dict[Cuboid, NoisyTable]:
    """The noisy residuals of the chosen strata together, from which `reconstruct` makes any published cuboid.

    Raises ValueError if no stratum is chosen, or one that does not exist.
    """
    tables = [residuals[number] for number in _numbers(chosen, len(residuals))]
    return {
        b: NoisyTable(sum((each[b].values for each in tables[1:]), tables[0][b].values)) for b in tables[0]
    }


def _numbers(chosen: StrataSet, strata: int) -> list[int]:
    """The chosen strata, each once. Raises ValueError if there is none, or one that does not exist."""
    if not chosen or not all(0 <= number < strata for number in chosen):
        raise ValueError(
            f"strata {sorted(chosen)} must be one or several of the numbers from 0 to {strata - 1}"
        )
    return sorted({*chosen})


@dataclass(frozen=True, slots=True)
class StrataAccuracy:
    """The promised standard error of a cuboid's cells, root mean square, over the persons of at most `most_rows` rows.

    `most_rows` is None if all persons count.
    """

    cuboid: Cuboid
    most_rows: int | None
    standard_error: float


def preview_strata(planned: StrataPlan) -> Iterator[StrataAccuracy]:
    """For each published cuboid: the accuracy over all strata, without the top one, and so on down to the lowest alone."""
    for cuboid in planned.plans[0].workload:
        for chosen in planned.strata.sets_from_below():
            is_whole = len(chosen) == len(planned.plans)
            most = None if is_whole else planned.strata.bounds[chosen[-1]]
            yield StrataAccuracy(cuboid, most, sqrt(planned.mean_variance(cuboid, chosen)))
