"""Measuring reach: exact sums of weights become noisy numbers of different persons.

    q[x, p] = 2n · (sum of weights in x and p, in grains) - beta · G · (persons in p)      integers
    reach[x, p] = r_X[x, p] + b · persons[p]

q is measured by the family's plan, a batch of n tables with independent noise; the persons that are added back are the
published ones, with the noise of their own plan (docs/privacy/reach.md#what-is-measured).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from datasets.definition import Cuboid
from datasets.privacy.plan import Plan
from datasets.privacy.reach.family import GRAINS, Family
from datasets.privacy.reach.planning import FamilyPlan, ReachPlan
from datasets.privacy.residuals import (
    ExactTable,
    Integers,
    Noise,
    NoisyTable,
    TooManyRows,
    measure,
    reconstruct,
)

_MAX_MAGNITUDE = 1 << 62


@dataclass(frozen=True)
class ReachCounts:
    """Exact counts of a month: private.

    `persons`: the persons in each leaf of the person attributes, each in one of them; shape (*leaves). `weights`, by
    name of the family: the sum of the persons' weights in each cell of X and each leaf, in grains; shape (n, *leaves).
    """

    persons: ExactTable
    weights: Mapping[str, ExactTable]


@dataclass(frozen=True)
class ReachTables:
    """Noisy numbers of different persons: by cuboid of the person attributes, and by name of the family.

    Shapes: `persons` (*cells of the cuboid), in persons; `families` (n, *cells of the cuboid), in persons.
    """

    persons: Mapping[Cuboid, NoisyTable]
    families: Mapping[str, Mapping[Cuboid, NoisyTable]]


def measure_reach(plans: ReachPlan, counts: ReachCounts, noise: Noise) -> ReachTables:
    """The noisy tables of the persons and of each family; together they cost the rho of the plan.

    Raises ValueError if the counts have another shape than the plan, or more weight in a cell than its persons can have;
    TooManyRows if exact 64-bit arithmetic could overflow (docs/privacy/reach.md#what-is-measured).
    """
    persons = _publish_cuboids(plans.persons, counts.persons, noise)
    return ReachTables(
        persons,
        {name: _measure_family(made, counts, persons, noise) for name, made in plans.families.items()},
    )


def _measure_family(
    made: FamilyPlan, counts: ReachCounts, persons: Mapping[Cuboid, NoisyTable], noise: Noise
) -> dict[Cuboid, NoisyTable]:
    leaves = tuple(axis.size(axis.depth) for axis in made.plan.axes)
    weights = counts.weights[made.family.name]
    _ensure_weights(made.family, weights, counts.persons, leaves)
    centred = centre_weights(made.family, weights, counts.persons)
    batch = ExactTable(np.moveaxis(centred.counts, 0, -1))
    return {
        cuboid: _add_persons(made.family, table, persons[cuboid])
        for cuboid, table in _publish_cuboids(made.plan, batch, noise).items()
    }


def _add_persons(family: Family, centred: NoisyTable, persons: NoisyTable) -> NoisyTable:
    return NoisyTable(np.moveaxis(centred.values, -1, 0) + float(family.centre) * persons.values)


def centre_weights(family: Family, weights: ExactTable, persons: ExactTable) -> ExactTable:
    """q = 2n · weights - beta · G · persons: still exact, and private; shape (n, *leaves).

    Raises TooManyRows if q could exceed 2^62 (docs/privacy/reach.md#what-is-measured).
    """
    largest = 2 * family.cells * int(weights.counts.max()) + family.grain * int(persons.counts.max())
    if largest >= _MAX_MAGNITUDE:
        raise TooManyRows(
            f"family {family.name!r}: this many persons times {family.grain} do not fit exact 64-bit arithmetic"
        )
    subtracted = family.doubled_centre * GRAINS * persons.counts.astype(np.int64)
    return ExactTable(2 * family.cells * weights.counts.astype(np.int64) - subtracted)


def _publish_cuboids(plan: Plan, leaves: ExactTable, noise: Noise) -> dict[Cuboid, NoisyTable]:
    """Each cuboid of a plan's workload, measured from the table of leaves, or from a batch of them."""
    exact = {cuboid: ExactTable(_roll_up_leaves(plan, leaves.counts, cuboid)) for cuboid in plan.rho_of}
    residuals = measure(plan, exact, noise)
    return {cuboid: reconstruct(plan, residuals, cuboid) for cuboid in plan.workload}


def _roll_up_leaves(plan: Plan, leaves: Integers, cuboid: Cuboid) -> Integers:
    for at, (axis, level) in enumerate(zip(plan.axes, cuboid, strict=True)):
        leaves = axis.add_up(leaves, at, axis.depth, level)
    return leaves


def _ensure_weights(
    family: Family, weights: ExactTable, persons: ExactTable, leaves: tuple[int, ...]
) -> None:
    if persons.counts.shape != leaves or weights.counts.shape != (family.cells, *leaves):
        raise ValueError(
            f"family {family.name!r}: its weights have the shape {weights.counts.shape} and the persons "
            f"{persons.counts.shape}; expected are {(family.cells, *leaves)} and {leaves}"
        )
    if np.any(weights.counts < 0) or np.any(weights.counts > GRAINS * persons.counts):
        raise ValueError(
            f"family {family.name!r}: a cell has less weight than 0 or more than its persons can have; "
            f"each person weighs 0 to {GRAINS} grains in each cell, in one leaf"
        )
