"""Which raw events fit the declaration: the others go to quarantine with the reason, and only these are counted.

Whether a row fits depends on that row alone, and on rows of the same unit that carry the same event id. No rule
may look further: a rule that looks at other units' rows lets one unit's coming or going move them, and then the
promised rho is not what is spent (PRIVACY.md, section 8).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from datasets.build.events.columns import Column, columns_of
from datasets.build.events.fitting import converted, quoted, reason
from datasets.build.events.layout import event_files
from datasets.build.events.parts import EventsPart, UnreadableEvents, literally, parts_of
from datasets.build.events.quarantine import Quarantine, Totals
from datasets.build.events.source import Source, read_source
from datasets.definition import Dataset
from datasets.period import Month

TABLE = "valid_events"
QUARANTINE_FILE = "events.parquet"

_ROWS_PER_PASS = 1 << 25
_DUPLICATE = "duplicate id: event_id"
_UNREADABLE = (
    duckdb.IOException,
    duckdb.InvalidInputException,
    duckdb.ConversionException,
    duckdb.SerializationException,
)


@dataclass(frozen=True, slots=True)
class Validated:
    """What `validate` found. `totals` is exact and private; `remarks` are sentences for whoever builds."""

    source: Source
    totals: Totals
    remarks: tuple[str, ...]
    files: tuple[Path, ...]


def validate(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, month: Month, folder: Path, quarantine: Path
) -> Validated:
    """Check the events in `folder`, make the table `valid_events` in `con`, and write the rest to `quarantine`.

    The table has the raw columns; dimensions are ENUMs in the order of their code lists, (unit_id, event_id) is
    unique in it. The quarantine, a folder, gets `events.parquet` (if any row does not fit) and `totals.json`.
    Memory and threads are those of `con`; give it a database file where a month is larger than memory.

    Raises NoEvents, UnreadableSource, UnreadableEvents, and MissingColumn.
    """
    files = event_files(folder)
    source = read_source(folder, dataset)
    columns = columns_of(dataset)
    parts = parts_of(files, columns)
    read = sum(part.rows for part in parts)
    try:
        totals = _divide(con, columns, month, parts, quarantine, read)
    except _UNREADABLE as error:
        _refuse_broken(con, files)
        raise error from None
    quarantine.mkdir(parents=True, exist_ok=True)
    totals.write(quarantine)
    return Validated(source, totals, _remarks(parts, columns), files)


def _divide(
    con: duckdb.DuckDBPyConnection,
    columns: tuple[Column, ...],
    month: Month,
    parts: list[EventsPart],
    quarantine: Path,
    read: int,
) -> Totals:
    checked, params = _checked(columns, month, parts)
    _find_repeats(con, checked, params, read)
    names = ", ".join(quoted(column.name) for column in columns)
    con.execute(
        f"CREATE OR REPLACE TABLE {TABLE} AS WITH checked AS ({checked}) "
        f"SELECT {names} FROM checked ANTI JOIN repeats USING (file, row) WHERE reason IS NULL",
        params,
    )
    kept = _number(con, f"SELECT count(*) FROM {TABLE}")
    with Quarantine(quarantine, QUARANTINE_FILE) as bad:
        if kept < read:
            record = ", ".join(
                f"{quoted(column.name)} := {quoted('raw:' + column.name)}" for column in columns
            )
            rows = con.sql(
                f"WITH checked AS ({checked}) SELECT coalesce(reason, '{_DUPLICATE}') AS reason, "
                f"parse_filename(file) AS file, row + 1 AS row, to_json(struct_pack({record}))::VARCHAR AS record "
                "FROM checked WHERE reason IS NOT NULL OR (file, row) IN (FROM repeats)",
                params=params,
            )
            _pour(rows, bad.add)
    con.execute("DROP TABLE repeats")
    return Totals(read, kept, bad.rows, dict(bad.reasons))


def _pour(rows: duckdb.DuckDBPyRelation, into: Callable[[pa.RecordBatch], None]) -> None:
    with rows.to_arrow_reader(1 << 16) as batches:
        for batch in batches:
            into(batch)


def _checked(
    columns: tuple[Column, ...], month: Month, parts: list[EventsPart]
) -> tuple[str, dict[str, list[str]]]:
    """One row per raw event: converted columns, the raw ones as `raw:<name>`, where it stands, and its reason."""
    selects = []
    for number, part in enumerate(parts):
        names = ", ".join(
            f"{converted(column, part.types[column.name])} AS {quoted(column.name)}, "
            f"{quoted(column.name)}::VARCHAR AS {quoted('raw:' + column.name)}"
            for column in columns
        )
        selects.append(
            f"SELECT {names}, filename AS file, file_row_number AS row "
            f"FROM read_parquet($files_{number}, filename = true, file_row_number = true)"
        )
    params = {f"files_{n}": [literally(path) for path in part.files] for n, part in enumerate(parts)}
    return f"SELECT *, {reason(columns, month)} AS reason FROM ({' UNION ALL '.join(selects)})", params


def _find_repeats(
    con: duckdb.DuckDBPyConnection, checked: str, params: dict[str, list[str]], read: int
) -> None:
    """Make the table `repeats`: rows that fit but repeat an event of the same unit, all but the first.

    Duplicates are looked for within one unit, not among all rows. Were (event_id) alone the key, a unit that sends
    events under another unit's ids would push that unit's rows out: one unit's presence would move any number of
    other rows, and no sensitivity would hold. Within (unit_id, event_id) only a unit's own rows compete. An
    organisation's event, which is a unit of its own, is all raw rows under its id, so it too competes with nobody.

    First by time, then by md5 of the row: a total order of contents, whatever file or place they came in. Rows that
    fit compete among themselves only. Hashes just find the few candidates cheaply, in passes that bound memory.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE suspects (lot UBIGINT)")
    passes = 1 + read // _ROWS_PER_PASS
    for number in range(passes):
        con.execute(
            f"INSERT INTO suspects WITH checked AS ({checked}) SELECT lot "
            "FROM (SELECT hash(unit_id, event_id) AS lot FROM checked) "
            f"WHERE lot % {passes} = {number} GROUP BY lot HAVING count(*) > 1",
            params,
        )
    con.execute("CREATE OR REPLACE TEMP TABLE repeats (file VARCHAR, row BIGINT)")
    if _number(con, "SELECT count(*) FROM suspects"):
        contents = "concat_ws(chr(31), COLUMNS('^raw:'))"
        con.execute(
            f"INSERT INTO repeats WITH checked AS ({checked}), candidates AS ("
            f"SELECT unit_id, event_id, occurred_at, md5({contents}) AS contents, file, row FROM checked "
            "WHERE reason IS NULL AND hash(unit_id, event_id) IN (FROM suspects)) "
            "SELECT file, row FROM candidates QUALIFY row_number() OVER "
            "(PARTITION BY unit_id, event_id ORDER BY occurred_at, contents, file, row) > 1",
            params,
        )
    con.execute("DROP TABLE suspects")


def _number(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    ((number,),) = con.execute(sql).fetchall()  # to the end: an open result would keep the connection
    return int(number)


def _refuse_broken(con: duckdb.DuckDBPyConnection, files: tuple[Path, ...]) -> None:
    for path in files:
        try:
            con.execute("SELECT count(COLUMNS(*)) FROM read_parquet(?)", [[literally(path)]]).fetchall()
        except _UNREADABLE:
            raise UnreadableEvents(
                f"{path} is a damaged Parquet file: its columns cannot be read to the end; write it anew"
            ) from None


def _remarks(parts: list[EventsPart], columns: tuple[Column, ...]) -> tuple[str, ...]:
    wanted = {column.name for column in columns}
    extra = sorted({name for part in parts for name in part.types} - wanted)
    return (f"ignored columns that the declaration does not have: {', '.join(extra)}",) if extra else ()
