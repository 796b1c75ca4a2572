"""Plans reproduce the published errors: docs/privacy/numbers.md."""

from fractions import Fraction
from math import prod, sqrt

import numpy as np
import pytest

from datasets.definition import Cuboid
from datasets.privacy.plan import Plan, cell_count, plan
from tests.datasets.privacy.schemas import (
    Axes,
    flat,
    of_dimensions,
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
