"""Variances and covariances of reach: a family's own noise, and its part of the noise of the persons.

    Var(u, x) = V_X(u) + b² V_0(u)
    Cov((u, x), (u', x')) = b b' Cov_0(u, u') + [the same family and x = x'] Cov_X(u, u')

u: weights over the person attributes; 0: the persons (docs/privacy/reach.md#variance).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from datasets.definition import Cuboid
from datasets.privacy.axis import Axis
from datasets.privacy.reach.planning import PERSONS, FamilyPlan
from datasets.privacy.variance import Factor, Floats, covariance, variance

Variances = Mapping[Cuboid, float]


@dataclass(frozen=True)
class FamilyNoise:
    """What the accuracy of a family depends on: the variances of its residuals, and its part b of the persons' noise."""

    name: str
    centre: float
    residuals: Variances


PERSONS_NOISE = FamilyNoise(PERSONS, 1.0, {})
"""The persons themselves: all of their noise, and none of their own besides."""


def noise_of(made: FamilyPlan) -> FamilyNoise:
    """The accuracy metadata of a planned family, in published units (docs/privacy/reach.md#variance)."""
    return FamilyNoise(made.family.name, float(made.family.centre), made.plan.variances)


@dataclass(frozen=True)
class ReachQuestion:
    """One cell of X of a family (0 for the persons), and weights over the person attributes."""

    family: FamilyNoise
    cell: int
    factors: Sequence[Factor]


def variance_of_reach(
    axes: Sequence[Axis], persons: Variances, family: FamilyNoise, factors: Sequence[Factor]
) -> Floats:
    """The variance of a question, the same in each cell of X; shape: the rows of each factor that is not None, in axis order.

    `persons` gives s_B of each residual of the persons, in persons squared. Raises KeyError if the question is deeper than
    what was measured (docs/privacy/reach.md#variance).
    """
    carried = family.centre**2 * variance(axes, persons, factors)
    return carried + variance(axes, family.residuals, factors) if family.residuals else carried


def covariance_of_reach(
    axes: Sequence[Axis], persons: Variances, left: ReachQuestion, right: ReachQuestion
) -> Floats:
    """The covariance of two questions of one release, output cell by output cell; shape as in `variance_of_reach`.

    Raises KeyError as `variance_of_reach` does (docs/privacy/reach.md#variance).
    """
    u, v = left.factors, right.factors
    shared = left.family.centre * right.family.centre * covariance(axes, persons, u, v)
    if left.family.name != right.family.name or left.cell != right.cell or not left.family.residuals:
        return shared
    return np.add(shared, covariance(axes, left.family.residuals, u, v))
