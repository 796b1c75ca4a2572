"""Residuals are measured on integers; cuboids are reconstructed without bias and agree with each other when rolled up."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from datasets.privacy.plan import plan, residuals_of
from datasets.privacy.residuals import ExactTable, TooManyRows, measure, reconstruct
from tests.datasets.privacy.schemas import SMALL, every_cuboid, flat


def silence(scales):
    return np.zeros(scales.shape, dtype=np.int64)


def loud(scales):
    return np.rint(np.random.default_rng(5).normal(0, scales)).astype(np.int64)


def exact(axes, workload, seed=1):
    leaves = np.random.default_rng(seed).poisson(5, [axis.size(axis.depth) for axis in axes])
    return leaves, {b: ExactTable(rolled(axes, leaves, b)) for c in workload for b in residuals_of(c)}


def rolled(axes, leaves, cuboid):
    for at, (axis, level) in enumerate(zip(axes, cuboid, strict=True)):
        leaves = axis.add_up(leaves, at, axis.depth, level)
    return leaves


def rolled_from(axes, table, fine, coarse):
    for at, (axis, a, b) in enumerate(zip(axes, fine, coarse, strict=True)):
        table = axis.add_up(table, at, a, b)
    return table


@pytest.mark.parametrize("name", SMALL)
def test_without_noise_every_cuboid_is_the_exact_one(name):
    axes = SMALL[name]
    made = plan(axes, every_cuboid(axes), rho=Fraction(1, 10))
    leaves, tables = exact(axes, made.workload)
    residuals = measure(made, tables, silence)
    for cuboid in made.workload:
        np.testing.assert_allclose(
            reconstruct(made, residuals, cuboid).values, rolled(axes, leaves, cuboid), atol=1e-9
        )


@pytest.mark.parametrize("name", SMALL)
def test_with_noise_every_cuboid_rolls_up_to_every_coarser_one(name):
    axes = SMALL[name]
    made = plan(axes, every_cuboid(axes), rho=Fraction(1, 10), sensitivity=7)
    residuals = measure(made, exact(axes, made.workload)[1], loud)
    built = {cuboid: reconstruct(made, residuals, cuboid).values for cuboid in made.workload}
    for fine in made.workload:
        for coarse in residuals_of(fine):
            np.testing.assert_allclose(rolled_from(axes, built[fine], fine, coarse), built[coarse], atol=1e-6)


@pytest.mark.parametrize("name", SMALL)
def test_every_residual_gets_noise_of_its_own(name):
    axes = SMALL[name]
    made = plan(axes, every_cuboid(axes), rho=Fraction(1, 10))
    tables = exact(axes, made.workload)[1]
    noisy, silent = measure(made, tables, loud), measure(made, tables, silence)
    for b in made.rho_of:
        assert np.any(noisy[b].values != silent[b].values), f"residual {b} has no noise"


class Recorder:
    """Zeros in place of noise; records the integers that noise is added to, and the scales of that noise."""

    __array_ufunc__ = None  # so that `table + noise` asks the noise

    def __init__(self):
        self.seen = []

    def __call__(self, scales):
        self.scales = np.array(scales)
        return self

    def __radd__(self, table):
        assert table.dtype == np.int64
        self.seen.append((table.copy(), self.scales))
        return table

    __add__ = __radd__


@pytest.mark.parametrize("name", SMALL)
def test_one_row_changes_the_measured_table_by_at_most_its_cost(name):
    """One row is added at each leaf. The integers that noise is added to, before they are divided and centred, change at a
    cost of at most rho, and at the worst leaf of rho."""
    axes = SMALL[name]
    made = plan(axes, every_cuboid(axes), rho=Fraction(1, 10))
    shape = [axis.size(axis.depth) for axis in axes]
    worst: dict[tuple[int, ...], float] = {}
    for leaf in np.ndindex(*shape):
        one, noise = np.zeros(shape, dtype=np.int64), Recorder()
        one[leaf] = 1
        measure(made, {b: ExactTable(rolled(axes, one, b)) for b in made.rho_of}, noise)
        costs = {
            b: float(((moved / scales) ** 2).sum() / 2)
            for b, (moved, scales) in zip(made.rho_of, noise.seen, strict=True)
        }
        assert sum(costs.values()) <= float(made.rho) * (1 + 1e-9)
        for b, cost in costs.items():
            worst[b] = max(worst.get(b, 0.0), cost)
    for b, cost in worst.items():
        assert cost == pytest.approx(float(made.rho_of[b]), rel=1e-9)


def test_counts_that_do_not_fit_exact_arithmetic_are_refused():
    axes = flat(30, 40)
    made = plan(axes, [(1, 1)], rho=Fraction(1, 10))
    tables = exact(axes, made.workload)[1]
    tables[(1, 1)] = ExactTable(tables[(1, 1)].counts + (1 << 45))
    with pytest.raises(TooManyRows, match="do not fit exact 64-bit arithmetic"):
        measure(made, tables, silence)
