"""Measuring residuals exactly on integers, and reconstructing cuboids from them.

The proofs are in docs/privacy/measuring.md and docs/privacy/reconstruction.md.
Exact and noisy tables have different types, so that the type checker refuses to publish an exact one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.privacy.axis import Axis, Floats, reshape_along
from datasets.privacy.plan import Plan

Integers = NDArray[np.int64]
Noise = Callable[[Floats], Integers]
"""Independent integer noise, one draw for each scale: the discrete Gaussian of CKS20, or zeros in tests."""

_MAX_MAGNITUDE = 1 << 62


@dataclass(frozen=True, slots=True)
class ExactTable:
    """Exact numbers of grains in the cells of a cuboid: private, never published and never logged."""

    counts: Integers


@dataclass(frozen=True, slots=True)
class NoisyTable:
    """Numbers protected by noise, in published units: the only ones that may leave the build."""

    values: Floats


class TooManyRows(OverflowError):
    """Counts so large that exact integer arithmetic would overflow."""


def measure(plan: Plan, exact: Mapping[Cuboid, ExactTable], noise: Noise) -> dict[Cuboid, NoisyTable]:
    """The noisy residual of every cuboid in the plan's closure; each costs the rho that the plan gives it.

    Table B is folded to q = (n·I - J) y along each of its axes, an integer, and gets a discrete Gaussian of scale
    deviation · prod n, so one unit, which changes q by at most sensitivity · prod n · sqrt(p_B), costs rho_B. Dividing by
    prod n and centring are post-processing. Raises TooManyRows if q could exceed 2^62.

    A table may have more dimensions behind those of the axes. Along them it is a batch of tables: each gets noise of its own,
    and the plan's sensitivity is that of the whole batch (docs/privacy/reach.md#what-a-family-costs).
    """
    return {b: _measure_one(plan, b, exact[b], noise) for b in plan.rho_of}


def _measure_one(plan: Plan, residual: Cuboid, exact: ExactTable, noise: Noise) -> NoisyTable:
    q = exact.counts.astype(np.int64)
    multiple = np.ones((1,) * q.ndim, dtype=np.int64)
    for at, axis in _detailed_axes(plan, residual):
        multiple = multiple * reshape_along(axis.siblings(residual[at]), q.ndim, at)
    _ensure_exact(plan, residual, q, multiple)
    for at, axis in _detailed_axes(plan, residual):
        sums = axis.add_up(q, at, residual[at], residual[at] - 1)
        q = q * reshape_along(axis.siblings(residual[at]), q.ndim, at) - axis.repeat(
            sums, at, residual[at] - 1
        )
    scales = np.nextafter(plan.deviation(residual) * multiple, inf)
    values = (q + noise(np.broadcast_to(scales, q.shape))) / multiple
    for at, axis in _detailed_axes(plan, residual):
        values = axis.centre(values, at, residual[at])
    return NoisyTable(values / plan.grain)


def _ensure_exact(plan: Plan, residual: Cuboid, counts: Integers, multiple: Integers) -> None:
    widest_noise = int(plan.deviation(residual) * 64) + 1
    one_table = tuple(range(len(plan.axes)))
    if (_largest_sum_of_magnitudes(counts, one_table) + widest_noise) * int(multiple.max()) >= _MAX_MAGNITUDE:
        raise TooManyRows(
            f"cuboid {residual}: this many rows times {int(multiple.max())} cells do not fit exact 64-bit arithmetic"
        )


def _largest_sum_of_magnitudes(counts: Integers, along: tuple[int, ...]) -> int:
    """The sum of the absolute counts of one table, and of the largest one of a batch."""
    high, low = np.abs(counts) >> 31, np.abs(counts) & 0x7FFFFFFF
    sums = zip(high.sum(along).ravel().tolist(), low.sum(along).ravel().tolist(), strict=True)
    return max((int(of_high) << 31) + int(of_low) for of_high, of_low in sums)


def reconstruct(plan: Plan, residuals: Mapping[Cuboid, NoisyTable], cuboid: Cuboid) -> NoisyTable:
    """A published cuboid: the sum of the residuals it contains, each spread evenly down to its levels.

    Unbiased, and the same whichever cuboid it is rolled up from (RP, theorem 3). A batch of tables stays one. Raises
    KeyError if a residual was not measured.
    """

    def sum_of_residuals(chosen: Cuboid) -> Floats:
        at = len(chosen)
        if at == len(cuboid):
            return residuals[chosen].values
        table = sum_of_residuals((*chosen, 0))
        for level in range(cuboid[at]):
            table = plan.axes[at].spread(table, at, level) + sum_of_residuals((*chosen, level + 1))
        return table

    return NoisyTable(sum_of_residuals(()))


def _detailed_axes(plan: Plan, cuboid: Cuboid) -> Iterator[tuple[int, Axis]]:
    """The axes that a cuboid is broken down by, with their positions."""
    return ((at, axis) for at, axis in enumerate(plan.axes) if cuboid[at])
