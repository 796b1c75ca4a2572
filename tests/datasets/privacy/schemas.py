"""Schemas, exact tables and random words for the tests of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, product

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.privacy.axis import Axis
from datasets.privacy.plan import Plan
from datasets.privacy.residuals import ExactTable
from tests.datasets.privacy import dense

Axes = tuple[Axis, ...]

often = settings(
    deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.data_too_large]
)


def flat(*sizes: int) -> Axes:
    """Axes of one level each."""
    return tuple(Axis(f"axis{i}", ((size,),)) for i, size in enumerate(sizes))


EVEN = (Axis("day", ((3,), (2, 2, 2))), *flat(2))
UNEVEN = (Axis("keyword", ((3,), (2, 1, 4))), *flat(3))
DEEP = (Axis("place", ((2,), (3, 1), (1, 2, 2, 3))), Axis("sex", ((2,),)))
SMALL = {"flat": flat(2, 3, 4), "even": EVEN, "uneven": UNEVEN, "deep": DEEP}


def every_cuboid(axes: Axes) -> list[Cuboid]:
    return list(product(*(range(axis.depth + 1) for axis in axes)))


def of_dimensions(number: int, *depths: int) -> list[Cuboid]:
    """The cuboids of so many flat dimensions that break down exactly `depths` of them."""
    return [
        tuple(int(at in chosen) for at in range(number))
        for depth in depths
        for chosen in combinations(range(number), depth)
    ]


@st.composite
def axes_with_uneven_trees(draw: st.DrawFn, most_axes: int = 3, most_levels: int = 3) -> Axes:
    return tuple(
        Axis(f"axis{i}", _fans(draw, draw(st.integers(1, most_levels))))
        for i in range(draw(st.integers(1, most_axes)))
    )


def _fans(draw: st.DrawFn, levels: int) -> tuple[tuple[int, ...], ...]:
    fans: list[tuple[int, ...]] = [(draw(st.integers(2, 4)),)]
    for _ in range(levels - 1):
        size = sum(fans[-1])
        fan = draw(st.lists(st.integers(1, 3), min_size=size, max_size=size))
        fan[draw(st.integers(0, size - 1))] = draw(st.integers(2, 3))
        fans.append(tuple(fan))
    return tuple(fans)


def leaves(axes: Axes) -> tuple[int, ...]:
    """The shape of a table of the finest level of every axis."""
    return tuple(axis.size(axis.depth) for axis in axes)


def exact_tables(axes: Axes, leaf: NDArray[np.int64], cuboids: Iterable[Cuboid]) -> dict[Cuboid, ExactTable]:
    """The exact table of each cuboid, counted by dense matrices from the table of leaves."""
    finest = tuple(axis.depth for axis in axes)
    return {
        cuboid: ExactTable(
            np.rint(dense.adding(axes, finest, cuboid) @ leaf.ravel())
            .astype(np.int64)
            .reshape(shape(axes, cuboid))
        )
        for cuboid in cuboids
    }


def shape(axes: Sequence[Axis], cuboid: Cuboid) -> tuple[int, ...]:
    return tuple(axis.size(level) for axis, level in zip(axes, cuboid, strict=True))


def silence(scales: NDArray[np.float64]) -> NDArray[np.int64]:
    """No noise: for tests only."""
    return np.zeros(scales.shape, dtype=np.int64)


def zeros(plan: Plan) -> dict[Cuboid, ExactTable]:
    return {b: ExactTable(np.zeros(shape(plan.axes, b), dtype=np.int64)) for b in plan.rho_of}


def seeded_words(seed: int) -> Callable[[int], NDArray[np.uint64]]:
    """Words of a statistical generator, so that a test is repeatable: for tests only."""
    generator = np.random.Generator(np.random.PCG64(seed))
    return lambda number: generator.integers(0, 1 << 64, size=number, dtype=np.uint64)
