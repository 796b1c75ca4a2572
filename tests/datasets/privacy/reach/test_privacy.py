"""What one person, or one event of an organisation, can do to everything that is measured: every one of them is tried.

The loss is exact: integers that noise is added to, and the doubles that are its scales, as fractions. Planted bugs show that
the same computation finds a plan that promises too much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from datasets.privacy.reach.family import Family, weight
from datasets.privacy.reach.measuring import ReachCounts, measure_reach
from datasets.privacy.reach.organisations import (
    OrganisationFamily,
    OrganisationPlan,
    measure_organisations,
    plan_organisations,
)
from datasets.privacy.reach.planning import PERSONS, ReachPlan, plan_reach
from datasets.privacy.residuals import ExactTable
from tests.datasets.privacy.reach.schemas import SMALL, leaves_of
from tests.datasets.privacy.schemas import flat
from tests.datasets.privacy.test_residuals import Recorder


def loss(before: Recorder, after: Recorder) -> Fraction:
    """The zCDP loss between two inputs: half the sum of the squared moves in units of the noise."""
    total = Fraction(0)
    for (one, scales), (other, same) in zip(before.seen, after.seen, strict=True):
        assert np.array_equal(scales, same), "the noise depends on the data"
        for move, scale in zip((other - one).ravel().tolist(), scales.ravel().tolist(), strict=True):
            total += Fraction(move) ** 2 / (2 * Fraction(scale) ** 2)
    return total


def recorded(plans: ReachPlan, counts: ReachCounts) -> Recorder:
    noise = Recorder()
    measure_reach(plans, counts, noise)
    return noise


def person(plans: ReachPlan, leaf: Sequence[int], cells: Sequence[int]) -> ReachCounts:
    """The counts of one person in a leaf, with a row in each of these cells of every family."""
    shape = tuple(axis.size(axis.depth) for axis in plans.persons.axes)
    persons = np.zeros(shape, dtype=np.int64)
    persons[tuple(leaf)] = 1
    weights = {}
    for name, made in plans.families.items():
        table = np.zeros((made.family.cells, *shape), dtype=np.int64)
        for x in cells:
            table[(x, *leaf)] = weight(len(cells), made.family.cap)
        weights[name] = ExactTable(table)
    return ReachCounts(ExactTable(persons), weights)


def nobody(plans: ReachPlan) -> ReachCounts:
    one = person(plans, [0] * len(plans.persons.axes), [])
    return ReachCounts(ExactTable(one.persons.counts * 0), one.weights)


def loss_of_person(plans: ReachPlan, leaf: Sequence[int], cells: Sequence[int]) -> Fraction:
    return loss(recorded(plans, nobody(plans)), recorded(plans, person(plans, leaf, cells)))


def sets_of(cells: int) -> Iterator[tuple[int, ...]]:
    for codes in range(cells + 1):
        yield from combinations(range(cells), codes)


def test_no_person_of_a_small_schema_loses_more_than_rho_and_the_worst_loses_all_of_it():
    plans = SMALL.plan()
    losses = [
        loss_of_person(plans, leaf, cells)
        for leaf in np.ndindex(*leaves_of(SMALL))
        for cells in sets_of(SMALL.families[0].cells)
    ]
    assert len(losses) == 6 * 2**5
    assert SMALL.rho * Fraction(99, 100) < max(losses) <= SMALL.rho


@pytest.mark.parametrize(("cells", "cap"), [(2, 1), (3, 1), (4, 4), (6, 2), (12, 2), (17, 5), (12, 12)])
def test_no_person_loses_more_than_rho_whatever_the_cap(cells, cap):
    plans = planned(Family("x", cells, cap, ((0,), (1,))))
    losses = [loss_of_person(plans, (0,), range(codes)) for codes in range(cells + 1)]
    assert plans.rho * Fraction(99, 100) < max(losses) <= plans.rho


def planned(family: Family, persons: Fraction = Fraction(1, 10)) -> ReachPlan:
    """One family and the persons, who get little, so that the loss is that of the family."""
    shares = {PERSONS: persons, family.name: 1 - persons}
    return plan_reach(flat(3), [family], persons=[(0,), (1,)], rho=Fraction(2), shares=shares)


class CapAsPriceAndCentreAtOneHalf(Family):
    """Planted: c codes of weight one are counted as a squared sensitivity of c, and b is 1/2 although c < n/2."""

    @property
    def doubled_centre(self) -> int:
        return self.cells

    @property
    def squared_sensitivity(self) -> int:
        return self.cap * self.grain**2


class CellsWithoutRowsForgotten(Family):
    """Planted: only the cells in which a person has a row are counted in the sensitivity."""

    @property
    def squared_sensitivity(self) -> int:
        return int(self.cap * (self.grain * (1 - self.centre)) ** 2)


class HalfOfTheCentre(Family):
    """Planted: half of b is subtracted, the sensitivity is that of b."""

    @property
    def doubled_centre(self) -> int:
        return min(self.cap, self.cells // 2)

    @property
    def squared_sensitivity(self) -> int:
        return Family(self.name, self.cells, self.cap, self.workload).squared_sensitivity


@pytest.mark.parametrize(
    "planted", [CapAsPriceAndCentreAtOneHalf, CellsWithoutRowsForgotten, HalfOfTheCentre]
)
def test_a_wrong_centre_or_sensitivity_is_found(planted):
    plans = planned(planted("x", 12, 2, ((0,), (1,))))
    assert max(loss_of_person(plans, (0,), range(codes)) for codes in range(13)) > plans.rho


def test_a_person_who_weighs_one_in_more_cells_than_the_cap_is_found():
    """Planted in the counting: the weights beyond the cap are not lowered."""
    plans = planned(Family("x", 12, 2, ((0,), (1,))))
    counted = person(plans, (0,), range(4))
    full = np.minimum(counted.weights["x"].counts * 1000, 1000)
    planted = ReachCounts(counted.persons, {"x": ExactTable(full)})
    assert loss(recorded(plans, nobody(plans)), recorded(plans, planted)) > plans.rho


def test_a_person_with_rows_in_two_leaves_is_found():
    """Planted in the counting: a person attribute that is not the same in all rows of a person."""
    plans = planned(Family("x", 12, 2, ((0,), (1,))))
    one, other = person(plans, (0,), (0, 1)), person(plans, (1,), (2, 3))
    both = ReachCounts(
        ExactTable(one.persons.counts + other.persons.counts),
        {"x": ExactTable(one.weights["x"].counts + other.weights["x"].counts)},
    )
    assert loss(recorded(plans, nobody(plans)), recorded(plans, both)) > plans.rho


ORGANISATIONS = [
    OrganisationFamily("all", 1),
    OrganisationFamily("category", 17),
    OrganisationFamily("source", 2),
]


def recorded_organisations(
    plans: Mapping[str, OrganisationPlan], counts: Mapping[str, list[int]]
) -> Recorder:
    noise = Recorder()
    measure_organisations(plans, {name: ExactTable(np.array(c)) for name, c in counts.items()}, noise)
    return noise


def test_an_event_of_an_organisation_loses_at_most_rho_whether_the_organisation_is_new_or_not():
    plans = plan_organisations(ORGANISATIONS, rho=Fraction(1, 100))
    none = [0] * 17
    before = {"all": [1], "category": none, "source": [1, 0]}
    new_in_some = {"all": [1], "category": [1, *none[1:]], "source": [1, 1]}
    new_in_all = {"all": [2], "category": [1, *none[1:]], "source": [1, 1]}
    start = recorded_organisations(plans, before)
    known = loss(start, recorded_organisations(plans, new_in_some))
    unknown = loss(start, recorded_organisations(plans, new_in_all))
    assert 0 < known < unknown <= Fraction(1, 100)
    assert unknown > Fraction(1, 100) * (1 - Fraction(1, 1 << 50))


def test_centring_the_reach_of_organisations_is_found():
    """Planted: an event brings a known organisation into one more cell. Nothing is subtracted for it, so it moves a cell by 1,
    which is more than the price n/4 of a centred family."""
    plans = planned(Family("source", 2, 2, ((0,), (1,))))
    one_cell, two_cells = (person(plans, (0,), range(codes)) for codes in (1, 2))
    assert np.array_equal(one_cell.persons.counts, two_cells.persons.counts)
    assert loss(recorded(plans, one_cell), recorded(plans, two_cells)) > plans.rho
