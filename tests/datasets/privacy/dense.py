"""The engine's algebra with full matrices, written from the definitions: for small schemas only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.privacy.axis import Axis

Matrix = NDArray[np.float64]


def parent_of(axis: Axis, level: int) -> list[int]:
    """For each code of a level below the total, its parent's position."""
    return [parent for parent, children in enumerate(axis.fans[level - 1]) for _ in range(children)]


def add_level(axis: Axis, level: int) -> Matrix:
    """From a table at `level` to one at the level above: a 1 where a code has that parent."""
    parents = parent_of(axis, level)
    matrix = np.zeros((max(parents) + 1, len(parents)))
    matrix[parents, range(len(parents))] = 1
    return matrix


def spread_level(axis: Axis, level: int) -> Matrix:
    """From the level above to `level`: each parent divided equally among its children."""
    adding_up = add_level(axis, level)
    shares: Matrix = adding_up / adding_up.sum(axis=1, keepdims=True)
    return shares.T


def centring(axis: Axis, level: int) -> Matrix:
    """Subtracts the mean of the siblings; nothing at the total."""
    if level == 0:
        return np.eye(1)
    return np.eye(len(parent_of(axis, level))) - spread_level(axis, level) @ add_level(axis, level)


def adding(axes: Sequence[Axis], fine: Cuboid, coarse: Cuboid) -> Matrix:
    """From the cells of a cuboid to those of a coarser one, by adding up."""
    return kron(
        chain([add_level(axis, level) for level in range(b + 1, a + 1)], axis.size(a))
        for axis, a, b in zip(axes, fine, coarse, strict=True)
    )


def spreading(axes: Sequence[Axis], coarse: Cuboid, fine: Cuboid) -> Matrix:
    """From the cells of a cuboid evenly down to those of a finer one."""
    return kron(
        chain([spread_level(axis, level) for level in range(a, b, -1)], axis.size(b))
        for axis, b, a in zip(axes, coarse, fine, strict=True)
    )


def residual(axes: Sequence[Axis], fine: Cuboid, cuboid: Cuboid) -> Matrix:
    """From the cells of a cuboid to the residual of one it contains: rolled up, and centred along every axis."""
    return kron(centring(axis, b) for axis, b in zip(axes, cuboid, strict=True)) @ adding(axes, fine, cuboid)


def covariance(
    axes: Sequence[Axis], residuals: Mapping[Cuboid, float], left: Cuboid, right: Cuboid
) -> Matrix:
    """Between all cells of two reconstructed cuboids: sum of s_B G_A G_A'^T, G from the noise on B to the cells."""
    total = np.zeros((cells(axes, left), cells(axes, right)))
    for b, s in residuals.items():
        if within(b, left) and within(b, right):
            centre = kron(centring(axis, level) for axis, level in zip(axes, b, strict=True))
            total += s * (spreading(axes, b, left) @ centre) @ (spreading(axes, b, right) @ centre).T
    return total


def within(coarse: Cuboid, fine: Cuboid) -> bool:
    return all(b <= a for b, a in zip(coarse, fine, strict=True))


def cells(axes: Sequence[Axis], cuboid: Cuboid) -> int:
    return int(np.prod([axis.size(level) for axis, level in zip(axes, cuboid, strict=True)]))


def kron(matrices: Iterable[Matrix]) -> Matrix:
    product: Matrix = np.eye(1)
    for matrix in matrices:
        product = np.kron(product, matrix).astype(np.float64, copy=False)
    return product


def chain(matrices: list[Matrix], size: int) -> Matrix:
    return reduce(np.matmul, matrices) if matrices else np.eye(size)
