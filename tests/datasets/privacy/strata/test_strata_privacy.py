"""What one person costs: every placement of a person's rows in a small schema, at and around the bounds of the strata."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations_with_replacement
from math import prod

import numpy as np
import pytest

from datasets.privacy.plan import Plan
from datasets.privacy.strata import Strata, StrataPlan, plan_strata
from tests.datasets.privacy.schemas import every_cuboid, flat

AXES = flat(2, 3)
LEAVES = 6
RHO = Fraction(1, 50)
COUNTS = Strata((2, 4, 7))
CLICKS = Strata((2, 4, 7), caps=(1, 2, 3))
BOTH = pytest.mark.parametrize("strata", [COUNTS, CLICKS], ids=["counts", "flagged"])
AROUND = (1, 2, 3, 4, 5, 6, 7, 8, 40)
"""Rows of a person: one below, at and one above each bound, and far above the last."""

Counted = dict[int, tuple[int, ...]]
"""For each stratum that a person is in: the leaf of each counted row."""


def counted(strata: Strata, rows: int, leaves: tuple[int, ...]) -> Counted:
    """A person's counted rows; `leaves` are those that the measure may count, in hash order."""
    ranks = np.arange(1, len(leaves) + 1)
    stratum, is_kept = strata.keep_rows(np.full(len(leaves), rows), ranks)
    assert len(set(stratum)) == 1
    return {int(stratum[0]): tuple(leaf for leaf, kept in zip(leaves, is_kept, strict=True) if kept)}


def also_in_the_lowest(strata: Strata, rows: int, leaves: tuple[int, ...]) -> Counted:
    """The planted bug: the first m_1 rows of a person with more are left in the lowest stratum as well."""
    return {0: leaves[: strata.kept[0]]} | counted(strata, rows, leaves)


def loss(planned: StrataPlan, rows: Counted) -> Fraction:
    """What the person costs: |R_B x|² / (2 s_B), with the scales as they are used, over all strata and residuals B."""
    return sum(
        (loss_in_one(planned.plans[number], leaves) for number, leaves in rows.items()), start=Fraction(0)
    )


def loss_in_one(made: Plan, leaves: tuple[int, ...]) -> Fraction:
    return sum(
        (squared_length(leaves, b) / (2 * Fraction(made.deviation(b)) ** 2) for b in made.rho_of),
        start=Fraction(0),
    )


def squared_length(leaves: tuple[int, ...], residual: tuple[int, ...]) -> Fraction:
    """|R_B x|² of a table with a 1 for each row, in exact fractions."""
    table = np.zeros((2, 3), dtype=np.int64)
    for leaf in leaves:
        table.flat[leaf] += 1
    sizes = [n for n, level in zip((2, 3), residual, strict=True) if level]
    for at, level in enumerate(residual):
        sums = table.sum(axis=at, keepdims=True)
        table = table * table.shape[at] - sums if level else sums
    return Fraction(int((table**2).sum()), prod(sizes) ** 2)


def persons(strata: Strata) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Every person: how many rows, and in which leaves those that the measure may count."""
    for rows in AROUND:
        most = min(
            rows, max(strata.kept) + 1
        )  # rows further back in hash order are dropped like the last of these
        for leaves in combinations_with_replacement(range(LEAVES), most):
            yield rows, leaves


def losses(strata: Strata, place: Callable[..., Counted]) -> dict[int, list[Fraction]]:
    """The losses of all persons, by the stratum that they are in."""
    planned = plan_strata(AXES, every_cuboid(AXES), strata, rho=RHO)
    assert planned.rho == RHO
    found: dict[int, list[Fraction]] = {}
    for rows, leaves in persons(strata):
        where = place(strata, rows, leaves)
        found.setdefault(max(where), []).append(loss(planned, where))
    return found


@BOTH
def test_every_person_costs_at_most_rho_and_the_worst_of_each_stratum_costs_rho(strata):
    found = losses(strata, counted)
    assert set(found) == {0, 1, 2}
    for of_stratum in found.values():
        assert RHO * (1 - Fraction(1, 10**12)) < max(of_stratum) <= RHO


@BOTH
def test_rows_of_heavy_persons_that_stay_in_the_lowest_stratum_too_are_found(strata):
    """A planted bug: the loss of a person above the first bound is then 2 rho."""
    found = losses(strata, also_in_the_lowest)
    assert max(found[0]) <= RHO
    assert float(max(found[1])) == pytest.approx(2 * float(RHO))
    assert float(max(found[2])) == pytest.approx(2 * float(RHO))


@pytest.mark.parametrize(
    ("rows", "stratum", "kept"), [(1, 0, 1), (2, 0, 2), (3, 1, 3), (4, 1, 4), (5, 2, 5), (7, 2, 7), (8, 2, 7), (999, 2, 7)]
)  # fmt: skip
def test_only_the_top_stratum_of_a_count_drops_rows(rows, stratum, kept):
    numbers, is_kept = COUNTS.keep_rows(np.full(rows, rows), np.arange(1, rows + 1))
    assert set(numbers) == {stratum}
    assert is_kept.sum() == kept
    assert is_kept[:kept].all()


def test_a_measure_of_flagged_rows_has_the_strata_of_all_rows_and_a_cap_in_each():
    """Of 6 rows 4 are clicked: the person is in the stratum of 6 rows, and 3 clicks count."""
    stratum, is_kept = CLICKS.keep_rows(np.full(4, 6), np.arange(1, 5))
    assert set(stratum) == {2}
    assert is_kept.tolist() == [True, True, True, False]


def test_a_sum_has_the_sensitivity_of_its_rows_times_half_its_range():
    planned = plan_strata(AXES, every_cuboid(AXES), CLICKS, rho=RHO, half_range=50)
    assert [each.sensitivity for each in planned.plans] == [50, 100, 150]


@pytest.mark.parametrize(
    ("bounds", "caps", "sentence"),
    [
        ((), (), "must be positive numbers of rows that rise"),
        ((0, 5), (), "must be positive numbers of rows that rise"),
        ((5, 5), (), r"bounds of strata \(5, 5\)"),
        ((5, 20), (3,), r"one positive number of rows for each of the bounds \(5, 20\)"),
        ((5, 20), (3, 0), r"caps \(3, 0\)"),
        ((5, 20), (6, 20), "at most that bound"),
    ],
)
def test_wrong_bounds_and_caps_are_refused_in_one_sentence(bounds, caps, sentence):
    with pytest.raises(ValueError, match=sentence):
        Strata(bounds, caps)
