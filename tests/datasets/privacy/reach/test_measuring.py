"""Reach is measured on integers: without noise it is the number of different persons, and each cell has noise of its own."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from datasets.privacy.plan import plan
from datasets.privacy.reach.family import Family, weight
from datasets.privacy.reach.measuring import ReachCounts, measure_reach
from datasets.privacy.residuals import ExactTable, TooManyRows, measure, reconstruct
from tests.datasets.privacy.reach.schemas import SMALL, ReachSchema, leaves_of, normal_noise
from tests.datasets.privacy.schemas import UNEVEN, every_cuboid, flat, silence
from tests.datasets.privacy.test_residuals import exact, rolled

NESTED = ReachSchema(
    UNEVEN,
    every_cuboid(UNEVEN),
    (Family("x", 5, 2, ((0, 0), (2, 0), (0, 1))), Family("y", 4, 4, ((0, 0), (1, 1)))),
    Fraction(1, 10),
)
Rows = list[tuple[tuple[int, ...], dict[str, set[int]]]]
"""The leaf of each person, and the cells of each family in which they have a row."""


def persons_of(schema: ReachSchema, number: int = 300) -> Rows:
    generator = np.random.default_rng(3)
    return [
        (
            tuple(int(generator.integers(size)) for size in leaves_of(schema)),
            {f.name: set(generator.integers(f.cells, size=3).tolist()) for f in schema.families},
        )
        for _ in range(number)
    ]


def counted(schema: ReachSchema, rows: Rows) -> ReachCounts:
    leaves = leaves_of(schema)
    persons = np.zeros(leaves, dtype=np.int64)
    weights = {f.name: np.zeros((f.cells, *leaves), dtype=np.int64) for f in schema.families}
    for leaf, cells in rows:
        persons[leaf] += 1
        for family in schema.families:
            for x in cells[family.name]:
                weights[family.name][(x, *leaf)] += weight(len(cells[family.name]), family.cap)
    return ReachCounts(ExactTable(persons), {name: ExactTable(table) for name, table in weights.items()})


def distinct(schema: ReachSchema, rows: Rows, family: Family) -> NDArray[np.float64]:
    """Persons in each cell and leaf, each in as many parts of one as the cap allows: counted one by one."""
    found = np.zeros((family.cells, *leaves_of(schema)))
    for leaf, cells in rows:
        codes = len(cells[family.name])
        for x in cells[family.name]:
            found[(x, *leaf)] += min(1.0, (family.cap / codes) ** 0.5)
    return found


@pytest.mark.parametrize("schema", [SMALL, NESTED], ids=["small", "nested"])
def test_without_noise_reach_is_the_number_of_different_persons(schema):
    rows = persons_of(schema)
    tables = measure_reach(schema.plan(), counted(schema, rows), silence)
    for family in schema.families:
        expected = distinct(schema, rows, family)
        assert set(tables.families[family.name]) == set(family.workload)
        for cuboid, table in tables.families[family.name].items():
            by_cell = [rolled(schema.axes, cell, cuboid) for cell in expected]
            np.testing.assert_allclose(table.values, by_cell, atol=0.001 * len(rows))
            if not family.is_capped:
                np.testing.assert_allclose(table.values, by_cell, atol=1e-9)


def test_without_noise_the_persons_are_their_number():
    rows = persons_of(NESTED)
    counts = counted(NESTED, rows)
    tables = measure_reach(NESTED.plan(), counts, silence)
    assert tables.persons[(0, 0)].values.item() == pytest.approx(len(rows))
    for cuboid, table in tables.persons.items():
        expected = rolled(UNEVEN, counts.persons.counts.astype(float), cuboid)
        np.testing.assert_allclose(table.values, expected, atol=1e-9)


def test_with_noise_the_person_attributes_add_up_in_every_cell():
    tables = measure_reach(SMALL.plan(), counted(SMALL, persons_of(SMALL)), normal_noise(1)).families["x"]
    for cuboid in SMALL.families[0].workload:
        by_cell = [rolled(SMALL.axes, cell, cuboid) for cell in tables[(1, 1)].values]
        np.testing.assert_allclose(tables[cuboid].values, by_cell, atol=1e-6)


def test_every_cell_and_every_residual_has_noise_of_its_own():
    """Of an empty month: no two cells of a family are the same, and each cuboid has noise."""
    tables = measure_reach(NESTED.plan(), counted(NESTED, []), normal_noise(2))
    for family in NESTED.families:
        for table in tables.families[family.name].values():
            assert len(np.unique(np.round(table.values, 6))) == table.values.size


def test_the_persons_that_are_added_back_are_the_published_ones():
    """With the noise of the persons' plan alone: the family's own noise is the rest."""
    plans, counts = SMALL.plan(), counted(SMALL, persons_of(SMALL))
    calls: list[int] = []
    draw = normal_noise(8)

    def noise_of_persons(scales):
        calls.append(scales.size)
        loud = len(calls) <= len(plans.persons.rho_of)
        return draw(scales) if loud else np.zeros(scales.shape, dtype=np.int64)

    silent, noisy = (measure_reach(plans, counts, noise) for noise in (silence, noise_of_persons))
    for cuboid in SMALL.families[0].workload:
        moved = noisy.persons[cuboid].values - silent.persons[cuboid].values
        assert np.all(moved != 0)
        of_family = noisy.families["x"][cuboid].values - silent.families["x"][cuboid].values
        np.testing.assert_allclose(of_family, np.broadcast_to(0.4 * moved, of_family.shape), atol=1e-9)


def test_a_batch_is_measured_as_each_of_its_tables():
    axes = flat(2, 3)
    made = plan(axes, every_cuboid(axes), rho=Fraction(1, 10))
    tables = [exact(axes, made.workload, seed)[1] for seed in range(4)]
    batch = {b: ExactTable(np.stack([table[b].counts for table in tables], axis=-1)) for b in made.rho_of}
    together = measure(made, batch, silence)
    for at, table in enumerate(tables):
        alone = measure(made, table, silence)
        for cuboid in made.workload:
            found = reconstruct(made, together, cuboid).values[..., at]
            np.testing.assert_array_equal(found, reconstruct(made, alone, cuboid).values)


def test_a_batch_is_refused_only_if_one_of_its_tables_is_too_large():
    axes = flat(30, 40)
    made = plan(axes, [(1, 1)], rho=Fraction(1, 10))
    large = {
        b: np.full([size if level else 1 for size, level in zip((30, 40), b, strict=True)], 1 << 38)
        for b in made.rho_of
    }
    many = {b: ExactTable(np.stack([table] * 40, axis=-1)) for b, table in large.items()}
    assert measure(made, many, silence)[(1, 1)].values.shape == (30, 40, 40)
    too_large = {
        b: ExactTable(table.counts * np.where(np.arange(40) == 7, 64, 0)) for b, table in many.items()
    }
    with pytest.raises(TooManyRows, match=r"cuboid \(1, 1\): this many rows"):
        measure(made, too_large, silence)


def large_counts(persons: int) -> ReachCounts:
    leaves = leaves_of(SMALL)
    return ReachCounts(
        ExactTable(np.full(leaves, persons)), {"x": ExactTable(np.full((5, *leaves), 1000 * persons))}
    )


def test_a_thousand_million_persons_in_each_leaf_are_measured_exactly():
    found = measure_reach(SMALL.plan(), large_counts(10**9), silence).families["x"][(1, 1)].values
    np.testing.assert_allclose(found, 10**9, rtol=1e-12)


@pytest.mark.parametrize("persons", [1 << 47, 1 << 50, 1 << 52])
def test_persons_that_do_not_fit_exact_arithmetic_are_refused(persons):
    with pytest.raises(TooManyRows, match="do not fit exact 64-bit arithmetic"):
        measure_reach(SMALL.plan(), large_counts(persons), silence)


def test_the_number_of_persons_is_not_in_the_sentence_of_an_overflow():
    with pytest.raises(TooManyRows) as refused:
        measure_reach(SMALL.plan(), large_counts(1 << 52), silence)
    assert str(1 << 52) not in str(refused.value)
    assert "family 'x': this many persons times 10000" in str(refused.value)


def test_counts_of_another_shape_are_refused():
    counts = large_counts(1)
    turned = {"x": ExactTable(np.moveaxis(counts.weights["x"].counts, 0, -1))}
    with pytest.raises(
        ValueError, match=r"have the shape \(3, 2, 5\).*expected are \(5, 3, 2\) and \(3, 2\)"
    ):
        measure_reach(SMALL.plan(), ReachCounts(counts.persons, turned), silence)


@pytest.mark.parametrize("weights", [-1, 1001])
def test_weights_that_no_persons_can_have_are_refused(weights):
    """A person who is counted twice in a cell would cost more than rho."""
    counts = large_counts(1)
    table = np.zeros_like(counts.weights["x"].counts)
    table[2, 1, 1] = weights
    with pytest.raises(
        ValueError, match="family 'x': a cell has less weight than 0 or more than its persons"
    ):
        measure_reach(SMALL.plan(), ReachCounts(counts.persons, {"x": ExactTable(table)}), silence)
