"""Repeats: of several rows of one event, the first counts. Which is first depends on the contents of these rows alone.

An event is what a unit calls by one id. Rows are compared within one unit, not among all rows. If event_id alone were the
key, a unit that sends events under another unit's ids would displace that unit's rows: the presence of one unit would change
any number of other rows, and no sensitivity would hold. With (unit_id, event_id) only a unit's own rows compete. An event of
an organisation, which is a unit of its own, is all its raw rows with one id, so it does not compete with other units either;
a single raw row may displace another one, which costs more than an event (docs/privacy/bounding.md#organisations).

The first is the earliest by time, then by packed codes, then by values; of rows that say the same in all of these, a
person's. Rows that are still equal count alike. The order is one of numbers, so every engine and every version finds the
same: the text of a time or of a number is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.packing import packing_for
from datasets.pipeline.engine.sql import quote_name

SUSPECTS = "suspects"


@dataclass(frozen=True, slots=True)
class SettledRows:
    """SQL for the narrow rows of a partition in which no event is repeated, and how many rows it has and has left out."""

    sql: str
    kept: int
    repeats: int


def place_sql(dataset: Dataset, month: Month, *also: str) -> str:
    """SQL for the place of a narrow row among the rows of its event: 1 for the row that counts.

    `also` names columns that decide which of several equal rows is listed; they must not decide what counts.
    """
    words = (f"word_{n}" for n in range(packing_for(dataset, month).words))
    values = (quote_name(value.name) for value in dataset.values)
    order = ", ".join(['"at"', *words, *values, "is_person DESC", *also])
    return f"row_number() OVER (PARTITION BY unit_upper, unit_lower, lot_upper, lot_lower ORDER BY {order})"


def repeated_lots(con: duckdb.DuckDBPyConnection, rows: str) -> NDArray[np.uint64]:
    """Every upper half of a lot that occurs in more than one narrow row: repeated events, and rare collisions."""
    lots = np.sort(_lots(con, rows))
    return np.unique(lots[1:][lots[1:] == lots[:-1]])


@contextmanager
def registered_suspects(con: duckdb.DuckDBPyConnection, lots: NDArray[np.uint64]) -> Iterator[None]:
    """The table `suspects` of these upper halves of lots, inside the block."""
    con.register(SUSPECTS, pa.table({"lot_upper": lots}))
    try:
        yield
    finally:
        con.unregister(SUSPECTS)


@contextmanager
def settled_rows(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, month: Month, rows: str
) -> Iterator[SettledRows]:
    """The narrow rows of a partition, each event once, inside the block; the query `rows` selects them all.

    Only rows whose lots occur twice are compared, since nearly all events occur once.
    """
    number, suspects = count_rows(con, rows), repeated_lots(con, rows)
    if not len(suspects):
        yield SettledRows(rows, number, 0)
        return
    with registered_suspects(con, suspects):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE settled AS SELECT * FROM ({rows}) WHERE lot_upper IN (FROM {SUSPECTS}) "
            f"QUALIFY {place_sql(dataset, month)} = 1"
        )
        others = f"SELECT * FROM ({rows}) WHERE lot_upper NOT IN (FROM {SUSPECTS})"
        settled = f"{others} UNION ALL BY NAME SELECT * FROM settled"
        kept = count_rows(con, settled)
        yield SettledRows(settled, kept, number - kept)
        con.execute("DROP TABLE settled")


def count_rows(con: duckdb.DuckDBPyConnection, rows: str) -> int:
    """The number of rows that a query selects."""
    ((number,),) = con.execute(f"SELECT count(*) FROM ({rows})").fetchall()  # read to the end: it would block
    return int(number)


def _lots(con: duckdb.DuckDBPyConnection, rows: str) -> NDArray[np.uint64]:
    found: NDArray[np.uint64] = (
        con.sql(f"SELECT lot_upper FROM ({rows})").to_arrow_table()["lot_upper"].to_numpy()
    )
    return found
