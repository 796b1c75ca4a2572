"""Validation of a month of raw events: rows that fit go into partitions, the others and repeats to the quarantine.

Whether a row counts depends only on that row and on rows of the same unit with the same event id. No rule may look
further: if a rule looked at other units' rows, adding or removing one unit would change them, and the spend would be more
than the promised rho (docs/privacy/bounding.md#stability). The rules are the kernel's (`datasets.pipeline.engine.narrowing`,
`repeats`); this module applies them to files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.columns import event_columns
from datasets.pipeline.engine.job import CountJob
from datasets.pipeline.engine.narrowing import (
    DUPLICATE,
    RawRelation,
    checked_rows_sql,
    fitting_rows_sql,
    narrow_rows_sql,
    record_sql,
    salt_parameters,
)
from datasets.pipeline.engine.repeats import SUSPECTS, place_sql, registered_suspects, repeated_lots
from datasets.pipeline.engine.sql import quote_name
from datasets.pipeline.events.careful import CarefulReader
from datasets.pipeline.events.layout import event_files
from datasets.pipeline.events.partitions import Params, Partitions
from datasets.pipeline.events.parts import EventsPart, UnreadableEvents, escape_glob, group_files
from datasets.pipeline.events.quarantine import Quarantine

QUARANTINE_FILE = "events.parquet"

REFUSED = (
    duckdb.ConversionException,
    duckdb.InternalException,
    duckdb.InvalidInputException,
    duckdb.IOException,
    duckdb.OutOfRangeException,
    duckdb.SerializationException,
)
"""The errors with which DuckDB refuses a damaged file, or a value that it cannot represent. Their text may show the value."""


@dataclass(frozen=True, slots=True)
class MonthOfEvents:
    """A month of raw events in files, in parts of the same columns and types; `read` is the number of its rows, private.

    With `careful` it is read through Arrow, so that no value ends the reading (`datasets.pipeline.events.careful`).
    """

    dataset: Dataset
    month: Month
    parts: tuple[EventsPart, ...]
    careful: bool = False

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(path for part in self.parts for path in part.files)

    @property
    def read(self) -> int:
        return sum(part.rows for part in self.parts)


def open_month(job: CountJob, folder: Path) -> MonthOfEvents:
    """The events in `folder`, of which only the footers are read. Raises NoEvents, UnreadableEvents, and MissingColumn."""
    parts = group_files(event_files(folder), event_columns(job.dataset))
    return MonthOfEvents(job.dataset, job.month, tuple(parts))


@contextmanager
def unreadable_as_refusal(events: MonthOfEvents) -> Iterator[None]:
    """Raise UnreadableEvents, which names the file if one is damaged, instead of an error of DuckDB, whose text may show a
    value. An error of input and output passes, since a full disk is one, and shows no value."""
    try:
        yield
    except REFUSED as error:
        for part in events.parts:
            _ensure_files_readable(part, events.dataset)
        if isinstance(error, duckdb.IOException):
            raise
        raise UnreadableEvents(
            f"the events of {events.dataset.name} {events.month} cannot be read: DuckDB refuses them with "
            f"{type(error).__name__}; write their files again, with the types that `daylight events` uses"
        ) from None


def write_part(
    con: duckdb.DuckDBPyConnection, events: MonthOfEvents, number: int, partitions: Partitions, salt: str
) -> None:
    """Write the rows of one part that fit into the partitions, including repeated ones."""
    part = events.parts[number]
    with _careful_readers(con, events):
        valid = fitting_rows_sql(events.dataset, events.month, _raw_relation(con, events, number))
        params = _file_parameters(events, [part], first=number)
        partitions.write(con, f"part-{number:05d}", events.dataset, events.month, salt, valid, params)


def quarantine_rows(
    con: duckdb.DuckDBPyConnection, events: MonthOfEvents, partitions: Partitions, salt: str, folder: Path
) -> Mapping[str, int]:
    """Read the raw events again and write those that do not count to the quarantine; returns the number for each reason.

    These are the rows that do not fit, and of each event all rows but the one that the kernel counts. Which of several equal
    rows is listed is decided by file and position.
    """
    with _careful_readers(con, events), Quarantine(folder, QUARANTINE_FILE) as bad:
        raws = [_raw_relation(con, events, number, placed=True) for number in range(len(events.parts))]
        checked = checked_rows_sql(events.dataset, events.month, raws)
        params = _file_parameters(events, events.parts)
        _list_repeats(con, events, partitions, checked, {**params, **salt_parameters(salt)})
        rows = con.sql(
            f"SELECT coalesce(reason, '{DUPLICATE}') AS reason, parse_filename(file) AS file, row + 1 AS row, "
            f"{record_sql(events.dataset)} AS record FROM ({checked}) "
            "WHERE reason IS NOT NULL OR (file, row) IN (FROM repeats)",
            params=params,
        )
        _copy_batches(rows, bad.add)
    con.execute("DROP TABLE repeats")
    return dict(bad.reasons)


def ignored_columns(events: MonthOfEvents) -> tuple[str, ...]:
    """The columns of the files that the declaration does not have, sorted."""
    wanted = {column.name for column in event_columns(events.dataset)}
    return tuple(sorted({name for part in events.parts for name in part.types} - wanted))


def _list_repeats(
    con: duckdb.DuckDBPyConnection,
    events: MonthOfEvents,
    partitions: Partitions,
    checked: str,
    params: Params,
) -> None:
    """Make the table `repeats` of the files and numbers of all rows that the kernel leaves out as repeats."""
    con.execute("CREATE OR REPLACE TEMP TABLE repeats (file VARCHAR, row BIGINT)")
    every = partitions.rows_sql()
    if every is None or not len(suspects := repeated_lots(con, every)):
        return
    dataset, month = events.dataset, events.month
    valid = f"SELECT * FROM ({checked}) WHERE reason IS NULL"
    narrow = narrow_rows_sql(dataset, month, valid, also=("file", "row"))
    with registered_suspects(con, suspects):
        con.execute(
            f"INSERT INTO repeats SELECT file, row FROM ({narrow}) WHERE lot_upper IN (FROM {SUSPECTS}) "
            f"QUALIFY {place_sql(dataset, month, 'file', 'row')} > 1",
            params,
        )


def _copy_batches(rows: duckdb.DuckDBPyRelation, into: Callable[[pa.RecordBatch], None]) -> None:
    with rows.to_arrow_reader(1 << 16) as batches:
        for batch in batches:
            into(batch)


@contextmanager
def _careful_readers(con: duckdb.DuckDBPyConnection, events: MonthOfEvents) -> Iterator[None]:
    """Inside the block, DuckDB knows the parts by the names that `_raw_relation` uses, if they are read carefully."""
    numbers = range(len(events.parts)) if events.careful else ()
    for number in numbers:
        con.register(f"careful_{number}", _careful_reader(events.parts[number], events.dataset))
    try:
        yield
    finally:
        for number in numbers:
            con.unregister(f"careful_{number}")


def _careful_reader(part: EventsPart, dataset: Dataset) -> CarefulReader:
    return CarefulReader(part.files, [column.name for column in event_columns(dataset)])


def _raw_relation(
    con: duckdb.DuckDBPyConnection, events: MonthOfEvents, number: int, *, placed: bool = False
) -> RawRelation:
    """The rows of a part; with `placed` each with its file and number."""
    if events.careful:
        described = con.execute(f"DESCRIBE careful_{number}").fetchall()
        return RawRelation(f"careful_{number}", {str(name): str(kind) for name, kind, *_ in described})
    part = events.parts[number]
    if not placed:
        return RawRelation(f"read_parquet($files_{number})", part.types)
    names = ", ".join(quote_name(column.name) for column in event_columns(events.dataset))
    return RawRelation(
        f"(SELECT {names}, filename AS file, file_row_number AS row "
        f"FROM read_parquet($files_{number}, filename = true, file_row_number = true))",
        part.types,
    )


def _file_parameters(events: MonthOfEvents, parts: Sequence[EventsPart], first: int = 0) -> Params:
    if events.careful:
        return {}
    return {f"files_{first + n}": [escape_glob(path) for path in part.files] for n, part in enumerate(parts)}


def _ensure_files_readable(part: EventsPart, dataset: Dataset) -> None:
    for path in part.files:
        try:
            _careful_reader(replace(part, files=(path,)), dataset).read_to_the_end()
        except (pa.ArrowException, OSError):
            raise UnreadableEvents(
                f"{path} is a damaged Parquet file: its columns cannot be read to the end; write it again"
            ) from None
