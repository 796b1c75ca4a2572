"""The promised variances and covariances of reach are those of the numbers that are published.

Published numbers are linear in the noise, so their covariances are computed exactly, from what each draw of noise moves; and they
are found again in many draws.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.privacy.reach.family import Family
from datasets.privacy.reach.measuring import ReachCounts, ReachTables, measure_reach
from datasets.privacy.reach.planning import ReachPlan
from datasets.privacy.reach.variance import (
    PERSONS_NOISE,
    FamilyNoise,
    ReachQuestion,
    covariance_of_reach,
    noise_of,
    variance_of_reach,
)
from datasets.privacy.residuals import ExactTable
from tests.datasets.privacy.reach.schemas import ReachSchema, normal_noise
from tests.datasets.privacy.schemas import UNEVEN, Axes, every_cuboid, flat, shape

Matrix = NDArray[np.float64]


def two_families(axes: Axes) -> ReachSchema:
    """One with a cap below half of its cells, one without a cap; every cuboid of the person attributes."""
    all_cuboids = tuple(every_cuboid(axes))
    capped, whole = Family("x", 5, 2, all_cuboids), Family("y", 3, 3, all_cuboids)
    return ReachSchema(axes, all_cuboids, (capped, whole), Fraction(4, 100))


SCHEMAS = {"flat": two_families(flat(3, 2)), "nested": two_families(UNEVEN)}


def finest(schema: ReachSchema) -> Cuboid:
    return tuple(axis.depth for axis in schema.axes)


def empty(schema: ReachSchema) -> ReachCounts:
    leaves = shape(schema.axes, finest(schema))
    tables = {f.name: ExactTable(np.zeros((f.cells, *leaves), dtype=np.int64)) for f in schema.families}
    return ReachCounts(ExactTable(np.zeros(leaves, dtype=np.int64)), tables)


def cells_of(schema: ReachSchema, tables: ReachTables) -> NDArray[np.float64]:
    """The persons by the finest cuboid, then each cell of each family by it, in one row."""
    at = finest(schema)
    families = [tables.families[family.name][at].values.ravel() for family in schema.families]
    return np.concatenate([tables.persons[at].values.ravel(), *families])


def parts(schema: ReachSchema, plans: ReachPlan) -> list[tuple[FamilyNoise, int]]:
    """The family and the cell of X of each table in a row of `cells_of`."""
    return [(PERSONS_NOISE, 0)] + [
        (noise_of(plans.families[family.name]), x) for family in schema.families for x in range(family.cells)
    ]


def promised(schema: ReachSchema, plans: ReachPlan) -> Matrix:
    """The covariances of all cells of a row with each other, cell by cell from the promise."""
    units = [np.eye(size) for size in shape(schema.axes, finest(schema))]
    leaves = list(np.ndindex(*shape(schema.axes, finest(schema))))
    every = list(zip(finest(schema), units, strict=True))
    rows = [
        [(level, unit[[code]]) for (level, unit), code in zip(every, leaf, strict=True)] for leaf in leaves
    ]

    @cache
    def block(one: int, other: int) -> Matrix:
        (left, cell), (right, its_cell) = tables[one], tables[other]
        return np.array(
            [
                covariance_of_reach(
                    schema.axes,
                    plans.persons.variances,
                    ReachQuestion(left, cell, row),
                    ReachQuestion(right, its_cell, every),
                ).ravel()
                for row in rows
            ]
        )

    tables = parts(schema, plans)
    return np.block([[block(one, other) for other in range(len(tables))] for one in range(len(tables))])


class Impulse:
    """All draws are zero but one, which is one; records the scale of each draw."""

    def __init__(self, at: int) -> None:
        self.at, self.scales = at, np.zeros(0)

    def __call__(self, scales):
        begin, draws = self.scales.size, np.zeros(scales.size, dtype=np.int64)
        self.scales = np.append(self.scales, scales)
        if begin <= self.at < self.scales.size:
            draws[self.at - begin] = 1
        return draws.reshape(scales.shape)


def from_impulses(schema: ReachSchema, plans: ReachPlan) -> Matrix:
    """The covariances of a row if each draw is independent and has the variance of its scale."""
    before = Impulse(-1)
    measure_reach(plans, empty(schema), before)
    moves = np.array(
        [
            cells_of(schema, measure_reach(plans, empty(schema), Impulse(draw))) * scale
            for draw, scale in enumerate(before.scales.tolist())
        ]
    )
    covariances: Matrix = moves.T @ moves
    return covariances


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_covariance_is_that_of_the_published_numbers(name):
    schema = SCHEMAS[name]
    plans = schema.plan()
    expected = from_impulses(schema, plans)
    found = promised(schema, plans)
    np.testing.assert_allclose(found, expected, atol=1e-9 * expected.max())


def test_the_cells_of_a_family_share_the_noise_of_the_persons():
    """Enough of it that the tests see whether it is counted."""
    schema = SCHEMAS["flat"]
    found = promised(schema, schema.plan())
    one, other = 6, 12  # the first leaf of the first and of the second cell of x
    assert found[one, other] > found[one, one] / 20


@pytest.mark.parametrize("cuboid", [(0, 0), (1, 0), (1, 1), (2, 1)])
def test_a_variance_is_the_covariance_of_a_question_with_itself(cuboid):
    schema = SCHEMAS["nested"]
    plans = schema.plan()
    factors = [
        (level, np.eye(axis.size(level))) if level else None
        for axis, level in zip(schema.axes, cuboid, strict=True)
    ]
    for family, cell in parts(schema, plans):
        question = ReachQuestion(family, cell, factors)
        found = variance_of_reach(schema.axes, plans.persons.variances, family, factors)
        both = covariance_of_reach(schema.axes, plans.persons.variances, question, question)
        np.testing.assert_allclose(found, both, rtol=1e-12)


DRAWS = 1500


@cache
def drawn() -> tuple[Matrix, Matrix]:
    """Rows of many builds of an empty month, and their promised covariances."""
    schema = SCHEMAS["flat"]
    plans, noise = schema.plan(), normal_noise(11)
    rows = [cells_of(schema, measure_reach(plans, empty(schema), noise)) for _ in range(DRAWS)]
    return np.array(rows), promised(schema, plans)


PERSONS, X, Y = slice(0, 6), slice(6, 36), slice(36, 54)
SAME_CELL, SAME_LEAF = np.kron(np.eye(9), np.ones((6, 6))), np.tile(np.eye(6), (9, 9))
PAIRS = {
    "variances of persons": (PERSONS, PERSONS, SAME_CELL * SAME_LEAF),
    "variances of x": (X, X, SAME_CELL * SAME_LEAF),
    "variances of y": (Y, Y, SAME_CELL * SAME_LEAF),
    "leaves of a cell of x": (X, X, SAME_CELL * (1 - SAME_LEAF)),
    "cells of x": (X, X, (1 - SAME_CELL) * SAME_LEAF),
    "cells of y": (Y, Y, (1 - SAME_CELL) * SAME_LEAF),
    "x and y": (X, Y, SAME_LEAF),
    "x and persons": (X, PERSONS, SAME_LEAF),
    "the sum of x": (X, X, np.ones((54, 54))),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_many_draws_have_the_promised_variances_and_covariances(pair):
    """The mean of y'Qy over N draws is tr(Q Sigma), with the variance 2 tr(Q Sigma Q Sigma)/N. A draw is farther off than
    six of these errors once in 5·10⁸."""
    rows, covariances = drawn()
    left, right, chosen = PAIRS[pair]
    form = np.zeros((54, 54))
    form[left, right] = chosen[left, right]
    form = (form + form.T) / 2
    found = np.einsum("ni,ij,nj->n", rows, form, rows).mean()
    expected, error = (
        np.trace(form @ covariances),
        sqrt(2 * np.trace(np.linalg.matrix_power(form @ covariances, 2)) / DRAWS),
    )
    assert abs(found - expected) < 6 * error
    assert error < 0.06 * abs(expected), "too few draws to see an error"


def test_the_mean_of_many_draws_is_the_truth():
    """Of an empty month: zero, in every cell, within six standard errors."""
    rows, covariances = drawn()
    assert np.all(np.abs(rows.mean(axis=0)) < 6 * np.sqrt(np.diag(covariances) / DRAWS))
