"""Plans spend exactly their budget, and what cannot be planned is refused."""

from fractions import Fraction
from math import prod, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.catalogue import DATASETS
from datasets.definition import Cuboid
from datasets.period import Month
from datasets.pipeline.planning.budget import plan_budget
from datasets.privacy.discrete_gaussian import MAX_SCALE
from datasets.privacy.plan import Plan, plan, row_cost
from datasets.privacy.zcdp import rho_spent
from tests.datasets.privacy.schemas import (
    UNEVEN,
    Axes,
    axes_with_uneven_trees,
    every_cuboid,
    flat,
    often,
)

HALF = Fraction(1, 2)  # with one row per unit: a precision of 1, the budget of the published errors


rhos = st.fractions(min_value=Fraction(1, 10_000), max_value=3, max_denominator=10_000)


@given(axes_with_uneven_trees(), rhos, st.integers(1, 10_000), st.sampled_from([1, 10_000]), st.data())
@often
def test_a_plan_spends_exactly_the_whole_budget(axes, rho, sensitivity, grain, data):
    workload = data.draw(st.lists(st.sampled_from(every_cuboid(axes)), min_size=1, max_size=6))
    made = plan(axes, workload, rho=rho, sensitivity=sensitivity, grain=grain)
    assert sum(made.rho_of.values()) == rho
    assert min(made.rho_of.values()) > 0
    for b, share in made.rho_of.items():
        cost = true_cost(made, b)
        assert cost <= share
        assert cost >= share * (1 - Fraction(1, 1 << 50)), "more noise than rounding up explains"


def true_cost(made: Plan, residual: Cuboid) -> Fraction:
    """The cost of the double that is used as deviation, as a rational number."""
    squared_move = worst_row(made.axes, residual)
    return rho_spent(squared_move / Fraction(made.deviation(residual)) ** 2, made.sensitivity)


def worst_row(axes: Axes, residual: Cuboid) -> Fraction:
    """The squared length of one row's centred vector at the worst leaf, written out cell by cell."""
    return prod(
        (
            (max(_squared_length(siblings) for siblings in axis.fans[level - 1]) if level else Fraction(1))
            for axis, level in zip(axes, residual, strict=True)
        ),
        start=Fraction(1),
    )


def _squared_length(siblings: int) -> Fraction:
    own, others = 1 - Fraction(1, siblings), Fraction(1, siblings)
    return own**2 + (siblings - 1) * others**2


@given(axes_with_uneven_trees(), st.data())
@often
def test_the_cost_of_a_row_is_the_squared_length_of_its_centred_vector(axes, data):
    residual = data.draw(st.sampled_from(every_cuboid(axes)))
    assert row_cost(axes, residual) == worst_row(axes, residual)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_a_release_of_a_declared_dataset_costs_exactly_what_it_declares(dataset):
    budget = plan_budget(dataset, Month(2026, 7))
    plans = [*budget.measures.values(), *budget.diagnostics.values()]
    spent = sum((true_cost(made, b) for made in plans for b in made.rho_of), Fraction(0))
    assert sum(rho for made in plans for rho in made.rho_of.values()) == dataset.rho_of_release
    assert spent <= dataset.rho_of_release


def test_exactly_the_residuals_of_the_workload_are_measured():
    made = plan(UNEVEN, [(2, 0), (0, 1)], rho=HALF)
    assert set(made.rho_of) == {(0, 0), (1, 0), (2, 0), (0, 1)}


def test_a_cuboid_named_twice_counts_once():
    assert plan(UNEVEN, [(1, 1), (1, 1), (2, 0)], rho=HALF) == plan(UNEVEN, [(1, 1), (2, 0)], rho=HALF)


def test_a_cuboid_with_a_tiny_weight_still_gets_a_share():
    made = plan(UNEVEN, [(2, 0), (0, 1)], rho=HALF, weights={(2, 0): 1.0, (0, 1): 1e-300})
    assert 0 < made.rho_of[(0, 1)] < Fraction(1, 1 << 47)
    assert true_cost(made, (0, 1)) <= made.rho_of[(0, 1)]


def test_grains_change_only_the_units():
    whole = plan(UNEVEN, [(2, 1)], rho=HALF)
    grains = plan(UNEVEN, [(2, 1)], rho=HALF, sensitivity=10_000, grain=10_000)
    assert grains.variances == pytest.approx(whole.variances, rel=1e-12)


def test_rows_multiply_the_error():
    one, twenty = (plan(UNEVEN, [(2, 1)], rho=HALF, sensitivity=m) for m in (1, 20))
    assert sqrt(twenty.mean_variance((2, 1)) / one.mean_variance((2, 1))) == pytest.approx(20)


@pytest.mark.parametrize(
    ("workload", "options", "sentence"),
    [
        ([], {}, "at least one cuboid"),
        ([(1,)], {}, "does not fit axes of depths"),
        ([(1, 1, 1)], {}, "does not fit axes of depths"),
        ([(3, 0)], {}, r"cuboid \(3, 0\) does not fit axes of depths \[2, 1\]"),
        ([(-1, 0)], {}, "does not fit"),
        ([(1, 0)], {"rho": Fraction(0)}, "must be positive"),
        ([(1, 0)], {"rho": Fraction(-1, 2)}, "must be positive"),
        ([(1, 0)], {"sensitivity": 0}, "must be positive"),
        ([(1, 0)], {"grain": 0}, "must be positive"),
        ([(1, 0)], {"weights": {(1, 0): 0.0}}, "weights must be positive"),
        ([(1, 0)], {"weights": {(1, 0): -1.0}}, "weights must be positive"),
    ],
)
def test_an_impossible_plan_is_refused(workload, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        plan(UNEVEN, workload, **{"rho": HALF, **options})


def test_noise_wider_than_can_be_drawn_is_refused_before_any_data_is_read():
    axes = flat(34, 30, 27, 18, 17)
    deep = [(1,) * 5]
    with pytest.raises(ValueError, match="residual .* noise of scale"):
        plan(axes, deep, rho=Fraction(1, 1000), sensitivity=10_000, grain=10_000)
    widest = plan(axes, deep, rho=Fraction(1, 100))
    assert widest.deviation(deep[0]) * prod(axis.size(1) for axis in axes) < MAX_SCALE
