"""Validation of raw events: rows that fit the declaration are counted, the others go to quarantine with the reason.

Whether a row fits depends only on that row and on rows of the same unit with the same event id. No rule may look
further: if a rule looked at other units' rows, adding or removing one unit would change them, and the spend would be more
than the promised rho (docs/privacy/bounding.md#stability).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.sql import quote_name
from datasets.pipeline.events.columns import EventColumn, event_columns
from datasets.pipeline.events.fitting import conversion_sql, fits_sql, reason_sql, text_sql
from datasets.pipeline.events.layout import event_files
from datasets.pipeline.events.partitions import Params, Partitions, lot_sql, partitions_for, upper_half_sql
from datasets.pipeline.events.parts import EventsPart, UnreadableEvents, escape_glob, group_files
from datasets.pipeline.events.quarantine import Quarantine, RowTotals
from datasets.pipeline.events.source import EventSource, read_source

QUARANTINE_FILE = "events.parquet"

_DUPLICATE = "duplicate id: event_id"
_UNREADABLE = (
    duckdb.IOException,
    duckdb.InvalidInputException,
    duckdb.ConversionException,
    duckdb.SerializationException,
)


@dataclass(frozen=True, slots=True)
class ValidatedEvents:
    """The result of `validate`. `totals` is exact and private; `remarks` are sentences for the operator."""

    source: EventSource
    totals: RowTotals
    remarks: tuple[str, ...]
    partitions: Partitions


def validate(
    con: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    month: Month,
    folder: Path,
    quarantine: Path,
    into: PartitionTarget,
) -> ValidatedEvents:
    """Check the events in `folder`; write rows that fit into partitions, as `into` says, and the others to `quarantine`.

    In the partitions (unit_id, event_id) is unique. The quarantine folder gets `events.parquet` (if any row does not fit)
    and `totals.json`. Memory and threads are those of `con`. The events are read once, and a second time only if an
    event is repeated or a row does not fit.

    Raises NoEvents, UnreadableSource, UnreadableEvents, and MissingColumn.
    """
    files = event_files(folder)
    source = read_source(folder, dataset)
    columns = event_columns(dataset)
    parts = group_files(files, columns)
    read = sum(part.rows for part in parts)
    partitions = partitions_for(into.folder, read)
    try:
        totals = _separate_rows(
            con, _MonthOfEvents(dataset, month, columns, parts, read), partitions, quarantine, into
        )
    except _UNREADABLE as error:
        _ensure_files_readable(con, files)
        raise error from None
    quarantine.mkdir(mode=0o700, parents=True, exist_ok=True)
    totals.write(quarantine)
    return ValidatedEvents(source, totals, _ignored_columns_remark(parts, columns), partitions)


@dataclass(frozen=True, slots=True)
class PartitionTarget:
    """The folder and salt of the partitions, how many parts are already written, and callbacks.

    `on_part` is called with the number of parts written; `on_progress` with the rows read and the total, which are
    private: they may be shown to the operator but never logged.
    """

    folder: Path
    salt: str
    parts_done: Callable[[], int] = lambda: 0
    on_part: Callable[[int], None] = lambda parts: None
    on_progress: Callable[[int, int], None] = lambda rows, of: None


@dataclass(frozen=True, slots=True)
class _MonthOfEvents:
    """A month of raw events and the columns that they must have."""

    dataset: Dataset
    month: Month
    columns: tuple[EventColumn, ...]
    parts: list[EventsPart]
    read: int

    def fitting_sql(self, part: EventsPart) -> tuple[str, Params]:
        """SQL for the rows of a part that fit, including repeated ones."""
        names = ", ".join(quote_name(column.name) for column in self.columns)
        return (
            f"SELECT {names} FROM ({_converted_rows_sql(self.columns, 0, part)}) WHERE {fits_sql(self.columns, self.month)}",
            _file_parameters([part]),
        )

    def checked_sql(self) -> tuple[str, Params]:
        """SQL with one row per raw event: converted columns, raw columns as `raw:<name>`, file, row number, and reason."""
        every = " UNION ALL ".join(
            _converted_rows_sql(self.columns, n, part, raw=True) for n, part in enumerate(self.parts)
        )
        return f"SELECT *, {reason_sql(self.columns, self.month)} AS reason FROM ({every})", _file_parameters(
            self.parts
        )


def _separate_rows(
    con: duckdb.DuckDBPyConnection,
    check: _MonthOfEvents,
    partitions: Partitions,
    quarantine: Path,
    into: PartitionTarget,
) -> RowTotals:
    passed = 0
    for number, part in enumerate(check.parts):
        if number >= into.parts_done():
            valid, params = check.fitting_sql(part)
            partitions.write(con, f"part-{number:05d}", check.dataset, check.month, into.salt, valid, params)
            into.on_part(number + 1)
        passed += part.rows
        into.on_progress(passed, check.read)
    fitting = partitions.rows()
    lost = _remove_repeats(con, check, partitions, into.salt)
    with Quarantine(quarantine, QUARANTINE_FILE) as bad:
        if fitting - lost < check.read:
            checked, params = check.checked_sql()
            record = ", ".join(
                f"{quote_name(column.name)} := {quote_name('raw:' + column.name)}" for column in check.columns
            )
            rows = con.sql(
                f"WITH checked AS ({checked}) SELECT coalesce(reason, '{_DUPLICATE}') AS reason, "
                f"parse_filename(file) AS file, row + 1 AS row, to_json(struct_pack({record}))::VARCHAR AS record "
                "FROM checked WHERE reason IS NOT NULL OR (file, row) IN (FROM repeats)",
                params=params,
            )
            _copy_batches(rows, bad.add)
    con.execute("DROP TABLE repeats")
    return RowTotals(check.read, fitting - lost, bad.rows, dict(bad.reasons))


def _copy_batches(rows: duckdb.DuckDBPyRelation, into: Callable[[pa.RecordBatch], None]) -> None:
    with rows.to_arrow_reader(1 << 16) as batches:
        for batch in batches:
            into(batch)


def _converted_rows_sql(
    columns: tuple[EventColumn, ...], number: int, part: EventsPart, *, raw: bool = False
) -> str:
    names = [
        f"{conversion_sql(column, part.types[column.name])} AS {quote_name(column.name)}"
        for column in columns
    ]
    where = ""
    if raw:
        names += [
            f"{text_sql(column, part.types[column.name])} AS {quote_name('raw:' + column.name)}"
            for column in columns
        ]
        names += ["filename AS file", "file_row_number AS row"]
        where = ", filename = true, file_row_number = true"
    return f"SELECT {', '.join(names)} FROM read_parquet($files_{number}{where})"


def _file_parameters(parts: list[EventsPart]) -> Params:
    return {f"files_{n}": [escape_glob(path) for path in part.files] for n, part in enumerate(parts)}


def _remove_repeats(
    con: duckdb.DuckDBPyConnection, check: _MonthOfEvents, partitions: Partitions, salt: str
) -> int:
    """Keep only the first of the events that a unit repeats, and list the others in the table `repeats`.

    Duplicates are searched within one unit, not among all rows. If event_id alone were the key, a unit that sends
    events under another unit's ids would displace that unit's rows: the presence of one unit would change any number of
    other rows, and no sensitivity would hold. With (unit_id, event_id) only a unit's own rows compete. An event of an
    organisation, which is a unit of its own, is all its raw rows with one id, so it does not compete with other units either;
    a single raw row may displace another one, which costs more than an event (docs/privacy/bounding.md#organisations).

    The first is the earliest by time, then by md5 of the row: a total order of contents, independent of file and position.
    Only rows that fit compete. Lots, which are salted hashes of (unit_id, event_id), are used to find the few candidates.
    Returns the number of rows in `repeats`.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE repeats (file VARCHAR, row BIGINT)")
    suspects = pa.table({"lot_upper": partitions.repeated_lots()})
    if suspects.num_rows == 0:
        return 0
    checked, params = check.checked_sql()
    contents, names = (
        "concat_ws(chr(31), COLUMNS('^raw:'))",
        ", ".join(quote_name(c.name) for c in check.columns),
    )
    con.register("suspects", suspects)
    con.sql(
        f"WITH checked AS ({checked}), candidates AS ("
        f"SELECT {names}, md5({contents}) AS contents, file, row FROM checked "
        f"WHERE reason IS NULL AND {upper_half_sql(lot_sql())} IN (FROM suspects)) "
        "SELECT *, row_number() OVER (PARTITION BY unit_id, event_id ORDER BY occurred_at, contents, file, row) AS place "
        "FROM candidates",
        params={**params, "salt": salt},
    ).create("candidates")
    con.execute("INSERT INTO repeats SELECT file, row FROM candidates WHERE place > 1")
    partitions.replace_suspects(
        con, check.dataset, check.month, salt, suspects, f"SELECT {names} FROM candidates WHERE place = 1"
    )
    con.execute("DROP TABLE candidates")
    con.unregister("suspects")
    return _single_number(con, "SELECT count(*) FROM repeats")


def _single_number(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    ((number,),) = con.execute(sql).fetchall()  # read to the end: an open result would block the connection
    return int(number)


def _ensure_files_readable(con: duckdb.DuckDBPyConnection, files: tuple[Path, ...]) -> None:
    for path in files:
        try:
            con.execute("SELECT count(COLUMNS(*)) FROM read_parquet(?)", [[escape_glob(path)]]).fetchall()
        except _UNREADABLE:
            raise UnreadableEvents(
                f"{path} is a damaged Parquet file: its columns cannot be read to the end; write it again"
            ) from None


def _ignored_columns_remark(parts: list[EventsPart], columns: tuple[EventColumn, ...]) -> tuple[str, ...]:
    wanted = {column.name for column in columns}
    extra = sorted({name for part in parts for name in part.types} - wanted)
    return (f"ignored columns that the declaration does not have: {', '.join(extra)}",) if extra else ()
