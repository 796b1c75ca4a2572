"""Variances and covariances of questions in product form.

A question has one row of weights per output cell for each axis: a unit vector for a group, zeros and ones for a
filter, nothing for a roll-up. Its answer is the sum over residuals B of (question folded onto B) · r_B, and
the residuals are independent, so

    Cov(u, v) = sum_B s_B · prod_i <centred fold of u_i onto level B_i, the same of v_i>

which for one level per axis is the formula of docs/privacy/variance.md#one-level-per-axis (RP, theorem 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.privacy.axis import Axis

Floats = NDArray[np.float64]
Factor = tuple[int, Floats] | None
"""The level that is asked of an axis, and the weights over its codes: one row for each output cell."""


def variance(axes: Sequence[Axis], residuals: Mapping[Cuboid, float], factors: Sequence[Factor]) -> Floats:
    """The variance of each cell of a question; shape: the rows of each factor that is not None, in axis order.

    `residuals` gives the noise variance s_B of each measured residual. Raises KeyError if the question is
    deeper than what was measured.

    >>> flat = Axis("sex", ((2,),))
    >>> variance([flat], {(0,): 1.0, (1,): 1.0}, [(1, np.eye(2))])
    array([0.75, 0.75])
    """
    return covariance(axes, residuals, factors, factors)


def covariance(
    axes: Sequence[Axis],
    residuals: Mapping[Cuboid, float],
    left: Sequence[Factor],
    right: Sequence[Factor],
) -> Floats:
    """The covariance of each cell of one question with the same cell of another of the same shape.

    Along an axis, one of the two may have a single row and the other many. Raises KeyError as `variance` does.
    """
    detailed = [at for at, (u, v) in enumerate(zip(left, right, strict=True)) if (u or v) is not None]
    inner = [_inner_products(axes[at], left[at], right[at]) for at in detailed]
    total = np.zeros(tuple(len(levels[0]) for levels in inner))
    for depths in product(*(range(len(levels)) for levels in inner)):
        chosen = [levels[depth] for levels, depth in zip(inner, depths, strict=True)]
        if all(values.any() for values in chosen):
            residual = [0] * len(axes)
            for at, depth in zip(detailed, depths, strict=True):
                residual[at] = depth
            total += residuals[tuple(residual)] * _outer(chosen)
    return total


def _outer(chosen: Sequence[Floats]) -> Floats:
    cells = np.ones(())
    for values in chosen:
        cells = np.multiply.outer(cells, values)
    return cells


def _inner_products(axis: Axis, u: Factor, v: Factor) -> list[Floats]:
    """For each level from the total down: the inner product of the centred folds, one number per row."""
    depth = max(u[0] if u else 0, v[0] if v else 0)
    folds_u = _folds(axis, u, depth)
    folds_v = folds_u if v is u else _folds(axis, v, depth)
    return [_centred_product(axis, level, folds_u[level], folds_v[level]) for level in range(depth + 1)]


def _folds(axis: Axis, factor: Factor, depth: int) -> list[Floats]:
    """The weights folded onto each level from the total down; zeros for levels finer than the one asked."""
    level, weights = factor if factor is not None else (0, np.ones((1, 1)))
    folds = [np.zeros((len(weights), axis.size(below))) for below in range(depth, level, -1)]
    folds.append(weights)
    for above in range(level - 1, -1, -1):
        weights = axis.add_up(weights, 1, above + 1, above) / axis.fans[above]
        folds.append(weights)
    return folds[::-1]


def _centred_product(axis: Axis, level: int, u: Floats, v: Floats) -> Floats:
    products: Floats = np.einsum("ij,ij->i", *np.broadcast_arrays(u, v))
    if level == 0:
        return products
    sums_u, sums_v = (axis.add_up(w, 1, level, level - 1) for w in (u, v))
    means: Floats = np.einsum("ij,ij->i", *np.broadcast_arrays(sums_u, sums_v / axis.fans[level - 1]))
    return np.maximum(products - means, 0.0) if u is v else products - means
