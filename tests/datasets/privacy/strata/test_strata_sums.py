"""Sums over strata: they are releases of residuals, with the variances of their strata added up."""

from fractions import Fraction
from math import prod

import numpy as np
import pytest

from datasets.privacy.axis import Axis
from datasets.privacy.residuals import ExactTable, reconstruct
from datasets.privacy.strata import Strata, measure_strata, plan_strata, sum_strata
from tests.datasets.privacy.schemas import every_cuboid, flat

AXES = (Axis("day", ((2,), (3, 2))), *flat(3))
CUBOIDS = every_cuboid(AXES)
PLANNED = plan_strata(AXES, CUBOIDS, Strata((4, 5, 6)), rho=Fraction(1, 2))
SETS = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]


def exact_tables(leaves: np.ndarray) -> dict:
    found = {}
    for cuboid in CUBOIDS:
        table = leaves
        for at, (axis, level) in enumerate(zip(AXES, cuboid, strict=True)):
            table = axis.add_up(table, at, axis.depth, level)
        found[cuboid] = ExactTable(table)
    return found


LEAVES = [np.arange(15).reshape(5, 3) * factor for factor in (7, 3, 1)]
EXACT = [exact_tables(leaves) for leaves in LEAVES]


def silence(scales):
    return np.zeros(scales.shape, dtype=np.int64)


@pytest.mark.parametrize("chosen", SETS)
def test_the_variance_of_a_residual_of_a_sum_is_the_sum_of_those_of_its_strata(chosen):
    for b, found in PLANNED.variances(chosen).items():
        assert found == pytest.approx(sum(PLANNED.plans[number].variances[b] for number in chosen), rel=1e-15)


@pytest.mark.parametrize("chosen", SETS)
def test_a_sum_over_strata_is_the_table_of_the_persons_in_them(chosen):
    residuals = sum_strata(measure_strata(PLANNED, EXACT, silence), chosen)
    for cuboid in CUBOIDS:
        expected = sum(EXACT[number][cuboid].counts for number in chosen)
        assert reconstruct(PLANNED.plans[0], residuals, cuboid).values == pytest.approx(expected, abs=1e-9)


def test_a_sum_over_strata_has_the_variance_that_is_predicted():
    """60 draws of tables of 40 x 50 cells: each mean square is within 7 of its own standard errors of the predicted one."""
    axes, draw, times = flat(40, 50), np.random.default_rng(15), 60
    planned = plan_strata(axes, every_cuboid(axes), Strata((4, 5, 6)), rho=Fraction(1, 2))
    empty = {b: ExactTable(np.zeros(shape_of(axes, b), dtype=np.int64)) for b in every_cuboid(axes)}

    def noise(scales):
        return np.rint(draw.normal(0.0, scales)).astype(np.int64)

    drawn = [measure_strata(planned, [empty] * 3, noise) for _ in range(times)]
    for chosen in SETS:
        sums = [sum_strata(measured, chosen) for measured in drawn]
        for b, s in planned.variances(chosen).items():
            squares = sum(float((each[b].values ** 2).sum()) for each in sums)
            freedom = times * prod(size - 1 for size in shape_of(axes, b) if size > 1)
            assert squares / freedom == pytest.approx(s, rel=7 * (2 / freedom) ** 0.5), (chosen, b)
        cells = [reconstruct(planned.plans[0], each, (1, 1)).values for each in sums]
        assert np.square(cells).mean() == pytest.approx(planned.mean_variance((1, 1), chosen), rel=0.06)


def shape_of(axes, cuboid):
    return [axis.size(level) for axis, level in zip(axes, cuboid, strict=True)]


@pytest.mark.parametrize("chosen", [(), (3,), (-1, 0)])
def test_a_set_of_strata_that_do_not_exist_is_refused(chosen):
    measured = measure_strata(PLANNED, EXACT, silence)
    for ask in (
        lambda: PLANNED.variances(chosen),
        lambda: PLANNED.mean_variance((0, 0), chosen),
        lambda: sum_strata(measured, chosen),
    ):
        with pytest.raises(ValueError, match="one or several of the numbers from 0 to 2"):
            ask()


def test_one_table_is_needed_for_each_stratum():
    with pytest.raises(ValueError, match="shorter"):
        measure_strata(PLANNED, EXACT[:2], silence)
