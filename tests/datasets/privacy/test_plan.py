"""Plans: exact spends, optimal splits, and the published numbers."""

from fractions import Fraction
from itertools import product
from math import prod, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.catalogue import DATASETS
from datasets.definition import Cuboid
from datasets.period import Month
from datasets.pipeline.planning.budget import budget_of
from datasets.privacy.axis import Axis
from datasets.privacy.discrete_gaussian import LARGEST_SCALE
from datasets.privacy.plan import Plan, cell_count, plan, residuals_of, row_cost
from datasets.privacy.zcdp import rho_spent
from tests.datasets.privacy import dense
from tests.datasets.privacy.schemas import (
    DEEP,
    EVEN,
    SMALL,
    UNEVEN,
    Axes,
    axes_with_uneven_trees,
    every_cuboid,
    flat,
    of_dimensions,
    often,
)

HALF = Fraction(1, 2)  # with one row per unit: a precision of 1, the budget of the published errors


def rmse(plan: Plan) -> float:
    """Over all cells of the workload."""
    sizes = {cuboid: cell_count(plan.axes, cuboid) for cuboid in plan.workload}
    return sqrt(sum(plan.mean_variance(c) * n for c, n in sizes.items()) / sum(sizes.values()))


def rmse_of_cuboids(plan: Plan) -> float:
    """Quadratic mean over cuboids, large and small alike."""
    return sqrt(sum(map(plan.mean_variance, plan.workload)) / len(plan.workload))


def unweighted(axes: Axes, workload: list[Cuboid], **options) -> Plan:
    return plan(axes, workload, rho=HALF, weights=dict.fromkeys(workload, 1.0), **options)


# --- the published numbers: PRIVACY.md, section 12 -------------------------------------------------


@pytest.mark.parametrize(
    ("depths", "printed"), [((1,), "1.744"), ((2,), "2.035"), ((3,), "2.048"), ((0, 1, 2, 3), "2.276")]
)
def test_the_errors_of_the_cps_schema_are_as_published(depths, printed):
    axes = flat(50, 100, 7, 4, 2)
    assert f"{rmse(unweighted(axes, of_dimensions(5, *depths))):.3f}" == printed


@pytest.mark.parametrize(("number", "printed"), [(2, "1.379"), (10, "9.348"), (20, "26.917")])
def test_the_errors_of_attributes_of_size_ten_are_as_published(number, printed):
    assert f"{rmse(unweighted(flat(*[10] * number), of_dimensions(number, 0, 1, 2, 3))):.3f}" == printed


MODERATION = flat(16, 8, 4, 8, 2, 2, 28, 30)


@pytest.mark.parametrize(
    ("power", "of_cells", "of_cuboids"), [(0, "4.83", "9.59"), (1, "6.69", "6.07"), (0.5, "5.22", "6.87")]
)
def test_the_errors_of_the_moderation_schema_are_as_published(power, of_cells, of_cuboids):
    workload = of_dimensions(8, 0, 1, 2, 3)
    assert (len(workload), sum(cell_count(MODERATION, c) for c in workload)) == (93, 76_263)
    weights = {cuboid: cell_count(MODERATION, cuboid) ** -power for cuboid in workload}
    made = plan(MODERATION, workload, rho=HALF, weights=weights)
    assert (f"{rmse(made):.2f}", f"{rmse_of_cuboids(made):.2f}") == (of_cells, of_cuboids)


def test_the_default_weight_is_one_over_the_root_of_the_cells():
    made = plan(MODERATION, of_dimensions(8, 0, 1, 2, 3), rho=HALF)
    assert (f"{rmse(made):.2f}", f"{rmse_of_cuboids(made):.2f}") == ("5.22", "6.87")


def test_the_errors_of_the_two_plain_ways_are_as_published():
    """Equal independent noise on each cuboid; and noise on the finest table, rolled up (129.6 is 129.55, rounded twice)."""
    workload = of_dimensions(8, 0, 1, 2, 3)
    sizes = [cell_count(MODERATION, cuboid) for cuboid in workload]
    assert f"{sqrt(len(workload)):.2f}" == "9.64"
    merged = [prod(axis.size(1) for axis in MODERATION) / size for size in sizes]
    over_cells = sqrt(sum(np.multiply(merged, sizes)) / sum(sizes))
    over_cuboids = sqrt(sum(merged) / len(merged))
    assert (f"{over_cells:.2f}", f"{over_cuboids:.0f}") == ("129.55", "768")


# --- exact spends ----------------------------------------------------------------------------------

rhos = st.fractions(min_value=Fraction(1, 10_000), max_value=3, max_denominator=10_000)


@given(axes_with_uneven_trees(), rhos, st.integers(1, 10_000), st.sampled_from([1, 10_000]), st.data())
@often
def test_a_plan_spends_the_whole_budget_and_not_a_grain_more(axes, rho, sensitivity, grain, data):
    workload = data.draw(st.lists(st.sampled_from(every_cuboid(axes)), min_size=1, max_size=6))
    made = plan(axes, workload, rho=rho, sensitivity=sensitivity, grain=grain)
    assert sum(made.rho_of.values()) == rho
    assert min(made.rho_of.values()) > 0
    for b, share in made.rho_of.items():
        cost = true_cost(made, b)
        assert cost <= share
        assert cost >= share * (1 - Fraction(1, 1 << 50)), "more noise than rounding up explains"


def true_cost(made: Plan, residual: Cuboid) -> Fraction:
    """What the double that stands for the deviation costs, as a rational number."""
    squared_move = worst_row(made.axes, residual)
    return rho_spent(squared_move / Fraction(made.deviation(residual)) ** 2, made.sensitivity)


def worst_row(axes: Axes, residual: Cuboid) -> Fraction:
    """The squared length of one row's centred vector at the worst leaf, written out cell by cell."""
    return prod(
        (max(_squared_length(siblings) for siblings in axis.fans[level - 1]) if level else Fraction(1))
        for axis, level in zip(axes, residual, strict=True)
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
    budget = budget_of(dataset, Month(2026, 7))
    plans = [*budget.measures.values(), *budget.diagnostics.values()]
    spent = sum((true_cost(made, b) for made in plans for b in made.rho_of), Fraction(0))
    assert sum(rho for made in plans for rho in made.rho_of.values()) == dataset.rho_of_release
    assert spent <= dataset.rho_of_release


def test_what_is_measured_is_all_that_the_workload_is_made_of_and_nothing_else():
    made = plan(UNEVEN, [(2, 0), (0, 1)], rho=HALF)
    assert set(made.rho_of) == {(0, 0), (1, 0), (2, 0), (0, 1)}


def test_a_cuboid_named_twice_counts_once():
    assert plan(UNEVEN, [(1, 1), (1, 1), (2, 0)], rho=HALF) == plan(UNEVEN, [(1, 1), (2, 0)], rho=HALF)


def test_a_cuboid_that_hardly_matters_still_gets_a_share():
    made = plan(UNEVEN, [(2, 0), (0, 1)], rho=HALF, weights={(2, 0): 1.0, (0, 1): 1e-300})
    assert 0 < made.rho_of[(0, 1)] < Fraction(1, 1 << 47)
    assert true_cost(made, (0, 1)) <= made.rho_of[(0, 1)]


def test_grains_change_units_and_nothing_else():
    whole = plan(UNEVEN, [(2, 1)], rho=HALF)
    grains = plan(UNEVEN, [(2, 1)], rho=HALF, sensitivity=10_000, grain=10_000)
    assert grains.variances == pytest.approx(whole.variances, rel=1e-12)


def test_rows_multiply_the_error():
    one, twenty = (plan(UNEVEN, [(2, 1)], rho=HALF, sensitivity=m) for m in (1, 20))
    assert sqrt(twenty.mean_variance((2, 1)) / one.mean_variance((2, 1))) == pytest.approx(20)


@pytest.mark.parametrize(
    ("workload", "options", "said"),
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
def test_what_cannot_be_planned_is_refused(workload, options, said):
    with pytest.raises(ValueError, match=said):
        plan(UNEVEN, workload, **{"rho": HALF, **options})


def test_noise_wider_than_can_be_drawn_is_refused_before_any_data_is_read():
    axes = flat(34, 30, 27, 18, 17)
    deep = [(1,) * 5]
    with pytest.raises(ValueError, match="residual .* noise of scale"):
        plan(axes, deep, rho=Fraction(1, 1000), sensitivity=10_000, grain=10_000)
    widest = plan(axes, deep, rho=Fraction(1, 100))
    assert widest.deviation(deep[0]) * prod(axis.size(1) for axis in axes) < LARGEST_SCALE


# --- optimal splits --------------------------------------------------------------------------------


def weighted_variance(
    axes: Axes, workload: list[Cuboid], weights: dict[Cuboid, float], s: dict[Cuboid, float]
) -> float:
    """The objective by dense matrices: each cuboid's weight times the variances of its cells, added up."""
    return sum(weights[c] * np.trace(dense.covariance(axes, s, c, c)) for c in workload)


def needs(axes: Axes, workload: list[Cuboid], weights: dict[Cuboid, float]) -> dict[Cuboid, float]:
    """How much each residual's variance adds to the objective, by dense matrices."""
    residuals = {b for c in workload for b in residuals_of(c)}
    return {b: weighted_variance(axes, workload, weights, {b: 1.0}) for b in residuals}


workloads = pytest.mark.parametrize(
    ("axes", "workload"),
    [
        (flat(2, 3, 4), of_dimensions(3, 0, 1, 2, 3)),
        (flat(2, 3, 4), of_dimensions(3, 2)),
        (EVEN, every_cuboid(EVEN)),
        (UNEVEN, every_cuboid(UNEVEN)),
        (UNEVEN, [(2, 0), (1, 1)]),
        (DEEP, [(3, 1), (2, 0)]),
    ],
    ids=["flat", "two-way", "even", "uneven", "sparse", "deep"],
)


@workloads
def test_the_promised_variance_is_the_dense_one(axes, workload):
    made = plan(axes, workload, rho=HALF)
    for cuboid in workload:
        dense_mean = np.trace(dense.covariance(axes, made.variances, cuboid, cuboid)) / cell_count(
            axes, cuboid
        )
        assert made.mean_variance(cuboid) == pytest.approx(dense_mean, rel=1e-12)


@workloads
def test_no_random_change_of_the_split_does_better(axes, workload):
    weights = {c: cell_count(axes, c) ** -0.5 for c in workload}
    made = plan(axes, workload, rho=HALF)
    need = needs(axes, workload, weights)
    best = objective(axes, need, {b: float(share) for b, share in made.rho_of.items()})
    assert best == pytest.approx(weighted_variance(axes, workload, weights, made.variances), rel=1e-9)
    generator = np.random.Generator(np.random.PCG64(3))
    for width in np.geomspace(1e-3, 2, 2_000):
        changed = {b: float(share) * np.exp(generator.normal(0, width)) for b, share in made.rho_of.items()}
        whole = sum(changed.values())
        assert objective(axes, need, {b: x / whole / 2 for b, x in changed.items()}) >= best * (1 - 1e-12)


def objective(axes: Axes, need: dict[Cuboid, float], shares: dict[Cuboid, float]) -> float:
    return sum(need[b] * float(row_cost(axes, b)) / (2 * share) for b, share in shares.items())


@workloads
def test_a_search_that_knows_no_formula_finds_the_same_split(axes, workload):
    weights = {c: cell_count(axes, c) ** -0.5 for c in workload}
    need = needs(axes, workload, weights)
    found = searched_split(axes, need)
    made = plan(axes, workload, rho=HALF)
    for b, share in made.rho_of.items():
        assert found[b] == pytest.approx(float(share), rel=1e-4)


def searched_split(axes: Axes, need: dict[Cuboid, float]) -> dict[Cuboid, float]:
    """Move budget between two residuals at a time, to wherever the objective is least, until nothing moves."""
    shares = dict.fromkeys(need, 0.5 / len(need))
    for _ in range(60):
        for one, other in zip(list(need), [*list(need)[1:], next(iter(need))], strict=True):
            both = shares[one] + shares[other]

            def split(x: float, one: Cuboid = one, other: Cuboid = other, both: float = both) -> float:
                return objective(axes, need, {one: x * both, other: (1 - x) * both})

            low, high = 0.0, 1.0
            for _ in range(60 if one != other else 0):
                left, right = low + (high - low) / 3, high - (high - low) / 3
                low, high = (low, right) if split(left or 1e-12) < split(right) else (left, high)
            shares |= {one: (low + high) / 2 * both, other: (1 - (low + high) / 2) * both}
    return shares


@pytest.mark.parametrize("weighting", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("axes", "workload"),
    [
        (flat(2, 3, 4), of_dimensions(3, 0, 1, 2, 3)),
        (flat(2, 3, 4), of_dimensions(3, 1, 2)),
        (flat(5, 4), [(1, 1)]),
        (EVEN, every_cuboid(EVEN)),
        (EVEN, [(2, 0), (1, 1)]),
    ],
    ids=["flat", "no total", "one", "even", "even, sparse"],
)
def test_no_matrix_mechanism_whatever_does_better_with_equal_fan_outs(axes, workload, weighting):
    """The singular value bound of Li and Miklau (2013) on all strategies with Gaussian noise is attained."""
    weights = {c: cell_count(axes, c) ** -weighting for c in workload}
    made = plan(axes, workload, rho=HALF, weights=weights)
    ours = weighted_variance(axes, workload, weights, made.variances)
    assert ours == pytest.approx(singular_value_bound(axes, workload, weights), rel=1e-9)


def test_an_uneven_tree_stays_within_a_fifth_of_the_bound():
    weights = dict.fromkeys(every_cuboid(UNEVEN), 1.0)
    made = unweighted(UNEVEN, every_cuboid(UNEVEN))
    ours = weighted_variance(UNEVEN, every_cuboid(UNEVEN), weights, made.variances)
    bound = singular_value_bound(UNEVEN, every_cuboid(UNEVEN), weights)
    assert bound <= ours <= 1.2 * bound


def singular_value_bound(axes: Axes, workload: list[Cuboid], weights: dict[Cuboid, float]) -> float:
    finest = tuple(axis.depth for axis in axes)
    rows = np.vstack([sqrt(weights[c]) * dense.adding(axes, finest, c) for c in workload])
    return float(np.linalg.svd(rows, compute_uv=False).sum() ** 2 / rows.shape[1])


def test_the_residuals_of_a_cuboid_are_all_choices_of_coarser_levels():
    assert list(residuals_of((2, 0, 1))) == [(a, 0, c) for a, c in product(range(3), range(2))]


def test_a_plan_is_the_same_whenever_it_is_made():
    for axes in SMALL.values():
        workload = every_cuboid(axes)
        assert plan(axes, workload, rho=HALF).rho_of == plan(list(axes), iter(workload), rho=HALF).rho_of


def test_a_single_level_axis_may_be_left_whole():
    made = plan([Axis("day", ((30,),))], [(0,)], rho=HALF)
    assert made.rho_of == {(0,): HALF}
    assert made.variances == {(0,): 1.0}
