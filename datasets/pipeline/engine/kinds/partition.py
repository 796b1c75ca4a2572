"""Counting a partition: the exact tables of every kind of measure, from the narrow rows of some privacy units.

The tables of partitions add up to those of all rows, since everything that is counted depends on one unit at a time
(docs/privacy/counting.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb
import numpy as np

from datasets.definition import Cuboid
from datasets.pipeline.engine.counting import cell_numbers
from datasets.pipeline.engine.kinds.adding import (
    CODES,
    ORGANISATIONS,
    PERSONS,
    ROWS,
    WEIGHTS,
    RowWeights,
    TableKey,
    TablesByKey,
    add_activity,
    add_organisations,
    add_reach,
    weigh_events,
    weigh_mix,
)
from datasets.pipeline.engine.kinds.attributes import person_leaves
from datasets.pipeline.engine.kinds.units import BLOCK_ROWS, Positions, UnitBlock, unit_blocks
from datasets.pipeline.engine.kinds.wanted import (
    Kind,
    PersonAttributes,
    WantedActivity,
    WantedEvents,
    WantedMix,
    WantedOrganisations,
    WantedReach,
    WantedTables,
    cuboids_of,
)
from datasets.pipeline.engine.repeats import settled_rows
from datasets.privacy.plan import cell_count

TablesByName = Mapping[str, TablesByKey]


@dataclass(frozen=True)
class KindCounts:
    """Exact tables of some partitions, and the numbers of rows that were counted and left out as repeats: private.

    `tables` has for each wanted name:

    - event tables: by cuboid, shape (strata + 1, cells), organisations last; rows, or sums of value - middle;
    - mix tables: by cuboid, shape (cells,); 1/10,000 of a person;
    - reach: `weights`, shape (cells, leaves), in 1/1,000 of a person; `persons`, shape (leaves,); `codes`, shape (cells,),
      the number of persons that have rows in 1, 2, ... cells;
    - reach of organisations: `organisations`, shape (cells,);
    - activity: `persons` and `rows`, shape (bands,).
    """

    tables: TablesByName = field(repr=False)
    kept: int = 0
    repeats: int = 0
    partitions: int = 0

    def plus(self, other: KindCounts) -> KindCounts:
        """The counts of both."""
        return KindCounts(
            {
                name: {key: table + other.tables[name][key] for key, table in tables.items()}
                for name, tables in self.tables.items()
            },
            self.kept + other.kept,
            self.repeats + other.repeats,
            self.partitions + other.partitions,
        )


def no_kind_counts(wanted: WantedTables) -> KindCounts:
    """The counts of no partition: zeros."""
    return KindCounts(
        {
            kind.name: {key: np.zeros(shape, dtype=np.int64) for key, shape in _shapes(wanted, kind).items()}
            for kind in wanted.kinds
        }
    )


def count_kinds(
    con: duckdb.DuckDBPyConnection, wanted: WantedTables, rows: str, block_rows: int = BLOCK_ROWS
) -> KindCounts:
    """Settle repeats and count the narrow rows of one partition, which the SQL query `rows` selects, in all wanted tables.

    About `block_rows` rows are in memory at once; this changes no count.
    """
    tables = no_kind_counts(wanted).tables
    with settled_rows(con, wanted.dataset, wanted.month, rows) as settled:
        for block in unit_blocks(con, wanted, settled.sql, block_rows):
            _add_block(wanted, tables, block)
        return KindCounts(tables, settled.kept, settled.repeats, partitions=1)


def _shapes(wanted: WantedTables, kind: Kind) -> Mapping[TableKey, tuple[int, ...]]:
    cells = {cuboid: cell_count(wanted.axes, cuboid) for cuboid in cuboids_of(kind)}
    match kind:
        case WantedEvents():
            return {cuboid: (len(wanted.ends) + 1, number) for cuboid, number in cells.items()}
        case WantedMix():
            return {cuboid: (number,) for cuboid, number in cells.items()}
        case WantedReach():
            number, leaves = cells[kind.cells], wanted.leaves(kind.by)
            return {WEIGHTS: (number, leaves), PERSONS: (leaves,), CODES: (number,)}
        case WantedOrganisations():
            return {ORGANISATIONS: (cells[kind.cells],)}
        case WantedActivity():
            return {PERSONS: (len(kind.ends),), ROWS: (len(kind.ends),)}


def _add_block(wanted: WantedTables, tables: TablesByName, block: UnitBlock) -> None:
    kinds = [kind for kind in wanted.kinds if _counts_units_of(kind, block)]
    by_cuboid: dict[Cuboid, list[Kind]] = {}
    for kind in kinds:
        for cuboid in cuboids_of(kind):
            by_cuboid.setdefault(cuboid, []).append(kind)
    weighed = _row_weights(kinds, block)
    leaves = person_leaves(wanted.axes, block, [kind.by for kind in kinds if isinstance(kind, WantedReach)])
    for cuboid, cells in cell_numbers(wanted.axes, by_cuboid, block.codes):
        for kind in by_cuboid[cuboid]:
            _add_cells(kind, tables[kind.name], cuboid, cells, block, weighed, leaves)
    for kind in kinds:
        if isinstance(kind, WantedActivity):
            add_activity(tables[kind.name], kind, block)


def _counts_units_of(kind: Kind, block: UnitBlock) -> bool:
    """Events count all units, reach of organisations counts organisations, and all others count persons."""
    return isinstance(kind, WantedEvents) or block.is_person != isinstance(kind, WantedOrganisations)


def _row_weights(kinds: list[Kind], block: UnitBlock) -> dict[str, RowWeights]:
    events = {kind.name: weigh_events(kind, block) for kind in kinds if isinstance(kind, WantedEvents)}
    return events | {kind.name: weigh_mix(kind, block) for kind in kinds if isinstance(kind, WantedMix)}


def _add_cells(
    kind: Kind, tables: TablesByKey, cuboid: Cuboid, cells: Positions, block: UnitBlock,
    weighed: Mapping[str, RowWeights], leaves: Mapping[PersonAttributes, Positions],
) -> None:  # fmt: skip
    match kind:
        case WantedEvents():
            weighed[kind.name].add(tables[cuboid][block.activity], cells)
        case WantedMix():
            weighed[kind.name].add(tables[cuboid], cells)
        case WantedReach():
            add_reach(tables, kind, block, cells, leaves[kind.by])
        case WantedOrganisations():
            add_organisations(tables[ORGANISATIONS], block, cells)
