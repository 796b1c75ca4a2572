"""Units: the rows of a partition by unit and lot, in blocks of whole units of one activity.

Everything that is counted of a person looks at that person's rows alone: their number, their order and their codes. So rows
are sorted by unit, and within a unit by lot, once; DuckDB does so, on disk if memory is short. Blocks bound the memory of
what is computed from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datasets.pipeline.engine.kinds.wanted import WantedTables
from datasets.pipeline.engine.packing import packing_for
from datasets.pipeline.engine.sql import quote_name

Integers = NDArray[np.int64]
Positions = NDArray[np.intp]

BLOCK_ROWS = 1 << 18
"""Rows of a block, about: what is computed from them takes some 100 MiB at once."""


@dataclass(frozen=True)
class UnitBlock:
    """All rows of some units of one activity, by unit, and within a unit by lot.

    `activity` is the number of the stratum of persons, from 0, or the number of strata for organisations. `rows_of` has the
    number of rows of each unit, shape (units,), all at least 1. `codes` has one array per dimension with the positions of the
    finest codes, and `values` one per column, shape (rows,).
    """

    activity: int
    is_person: bool
    rows_of: Integers
    codes: tuple[Positions, ...]
    values: Mapping[str, NDArray[np.generic]]

    @cached_property
    def unit(self) -> Positions:
        """The number of the unit of each row, from 0, in order; shape (rows,)."""
        return np.repeat(np.arange(len(self.rows_of)), self.rows_of)

    @cached_property
    def ranks(self) -> Integers:
        """The rank of each row among those of its unit by lot, from 0; shape (rows,)."""
        return np.arange(len(self.unit)) - np.repeat(np.cumsum(self.rows_of) - self.rows_of, self.rows_of)


def unit_blocks(
    con: duckdb.DuckDBPyConnection, wanted: WantedTables, rows: str, block_rows: int = BLOCK_ROWS
) -> Iterator[UnitBlock]:
    """The units of a partition; the SQL query `rows` selects its narrow rows, each event once.

    A unit is a person if any of its rows says so; its stratum depends on the number of all its rows. A block has about
    `block_rows` rows, or those of one unit, if it has more.
    """
    words = [f"word_{n}" for n in range(packing_for(wanted.dataset, wanted.month).words)]
    columns = ["unit_upper", "unit_lower", "is_person", *words, *map(quote_name, wanted.values)]
    sql = f"SELECT {', '.join(columns)} FROM ({rows}) ORDER BY unit_upper, unit_lower, lot_upper, lot_lower"
    with con.sql(sql).to_arrow_reader(block_rows) as batches:
        for table in whole_units(batch for batch in batches if batch.num_rows):
            yield from _blocks_by_activity(wanted, table, words)


def whole_units(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches, sorted by unit and not empty, in tables that begin and end with whole units."""
    pending: list[pa.RecordBatch] = []
    for batch in batches:
        starts = _starts(batch)
        if len(starts) > 1:
            yield pa.Table.from_batches([*pending, batch.slice(0, starts[-1])])
            pending = []
        pending.append(batch.slice(starts[-1]))
    if pending:
        yield pa.Table.from_batches(pending)


def strata_of(ends: Sequence[int], rows: Integers) -> Positions:
    """The stratum of persons with these numbers of rows: the least s with rows <= m_s, else the last; from 0.

    >>> strata_of((5, 20), np.array([1, 5, 6, 20, 21, 1000])).tolist()
    [0, 0, 1, 1, 1, 1]
    """
    return np.minimum(np.searchsorted(ends, rows), len(ends) - 1)


def _starts(rows: pa.RecordBatch | pa.Table) -> Positions:
    """The first row of each unit."""
    upper, lower = (np.asarray(rows.column(name)) for name in ("unit_upper", "unit_lower"))
    another = (upper[1:] != upper[:-1]) | (lower[1:] != lower[:-1])
    return np.concatenate(([0], np.flatnonzero(another) + 1))


def _blocks_by_activity(wanted: WantedTables, table: pa.Table, words: list[str]) -> Iterator[UnitBlock]:
    starts = _starts(table)
    rows_of = np.diff(starts, append=table.num_rows)
    is_person = np.logical_or.reduceat(table["is_person"].to_numpy(), starts)
    activities = np.where(is_person, strata_of(wanted.ends, rows_of), len(wanted.ends))
    packed = packing_for(wanted.dataset, wanted.month)
    columns = {name: table[name].to_numpy() for name in (*words, *wanted.values)}
    for activity in range(len(wanted.ends) + 1):
        if not len(units := np.flatnonzero(activities == activity)):
            continue
        chosen = np.flatnonzero(np.repeat(activities == activity, rows_of))
        yield UnitBlock(
            activity,
            activity < len(wanted.ends),
            rows_of[units],
            packed.codes([columns[word][chosen] for word in words]),
            {name: columns[name][chosen] for name in wanted.values},
        )
