"""Plans split the budget optimally: no other split, and hardly any other mechanism, has smaller errors."""

from fractions import Fraction
from itertools import product
from math import sqrt

import numpy as np
import pytest

from datasets.definition import Cuboid
from datasets.privacy.axis import Axis
from datasets.privacy.plan import Plan, cell_count, plan, residuals_of, row_cost
from tests.datasets.privacy import dense
from tests.datasets.privacy.schemas import (
    DEEP,
    EVEN,
    SMALL,
    UNEVEN,
    Axes,
    every_cuboid,
    flat,
    of_dimensions,
)

HALF = Fraction(1, 2)  # with one row per unit: a precision of 1, the budget of the published errors


def unweighted(axes: Axes, workload: list[Cuboid], **options) -> Plan:
    return plan(axes, workload, rho=HALF, weights=dict.fromkeys(workload, 1.0), **options)


def weighted_variance(
    axes: Axes, workload: list[Cuboid], weights: dict[Cuboid, float], s: dict[Cuboid, float]
) -> float:
    """The objective by dense matrices: each cuboid's weight times the variances of its cells, added up."""
    return float(sum(weights[c] * np.trace(dense.covariance(axes, s, c, c)) for c in workload))


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
    """Coordinate descent: move budget between two residuals at a time to where the objective is smallest, many times."""
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


def test_a_plan_is_deterministic():
    for axes in SMALL.values():
        workload = every_cuboid(axes)
        assert plan(axes, workload, rho=HALF).rho_of == plan(list(axes), iter(workload), rho=HALF).rho_of


def test_a_single_level_axis_may_be_left_whole():
    made = plan([Axis("day", ((30,),))], [(0,)], rho=HALF)
    assert made.rho_of == {(0,): HALF}
    assert made.variances == {(0,): 1.0}
