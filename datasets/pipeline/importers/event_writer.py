"""Converts source rows: each becomes an event of the declaration or goes to quarantine with the reason.

A format gives, for each column of the declaration, an SQL expression over the source's columns. The same rules as in
the build (`engine.fitting`) decide, row by row, what fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.arrow import readable_batch
from datasets.pipeline.engine.columns import EventColumn, Kind, arrow_schema, event_columns
from datasets.pipeline.engine.fitting import conversion_sql, not_utf8, reason_sql
from datasets.pipeline.engine.job import RowTotals
from datasets.pipeline.engine.sql import enum_type, quote_name, string_literal
from datasets.pipeline.events.layout import StagingFolders
from datasets.pipeline.events.quarantine import Quarantine
from datasets.pipeline.importers.sources import UnreadableFile
from datasets.pipeline.importers.times import FormatSearch

BATCH = 1 << 14
ROWS_PER_FILE = 1 << 22
QUARANTINE_FILE = "import.parquet"


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """How a source's columns become the declaration's. `columns` has the SQL expression of each, over the source's columns,
    of which `reads` names those that they use. `faults` are (SQL condition, reason) for rows that cannot be mapped at all. A
    column without an expression has no counterpart in the source."""

    columns: Mapping[str, str]
    faults: tuple[tuple[str, str], ...] = ()
    intermediate: Mapping[str, str] = field(default_factory=dict)
    """Intermediate values in order: SQL names that begin with @, with their expressions; other expressions use them."""
    reads: tuple[str, ...] = ()
    numbers_equal_rows: bool = False
    """Whether `event_id` is `content_id_sql`, so that rows which say the same get numbers (`equal_rows`)."""
    untold_time: str = ""
    """The source's column of times, if the mapping does not say in which format they are."""


def content_id_sql(columns: Iterable[str]) -> str:
    """SQL for an event id made of the contents of a row, for sources that have none. Where a row is in a file must not be in
    it: the id decides which rows of a person count, and one more person's rows would move everybody's
    (docs/privacy/bounding.md#stability)."""
    values = ", ".join(f"CAST({quote_name(column)} AS VARCHAR)" for column in columns)
    return f"sha256(to_json([{values}])::VARCHAR)"


class EventWriter:
    """Writes rows that fit into `staging.events`, the others into `staging.quarantine`, and counts both."""

    def __init__(self, dataset: Dataset, month: Month, staging: StagingFolders) -> None:
        self._columns = event_columns(dataset)
        self._month = month
        self._staging = staging
        self._con = duckdb.connect(config={"threads": 2})
        self._quarantine = Quarantine(staging.quarantine, QUARANTINE_FILE)
        self._schema = arrow_schema(self._columns)
        self._writer: pq.ParquetWriter | None = None
        self._files = self._in_file = 0
        self._read = self._kept = 0
        self._formats = FormatSearch(month)

    def add(self, batch: pa.RecordBatch, mapped: ColumnMapping, file: str, first: int) -> None:
        """Process the rows of a batch whose first row is row `first` of `file`. Raises UnreadableFile."""
        rows = batch.num_rows
        if not rows:
            return
        readable = readable_batch(batch)
        self._con.register("batch", readable)
        try:
            self._con.execute(
                f"CREATE OR REPLACE TEMP TABLE checked AS {self._checked_sql(readable, mapped, first)}"
            )
            self._write_checked(file)
            if mapped.untold_time and not self._kept:
                self._formats.add(self._con, "batch", mapped.untold_time)
        except duckdb.Error as error:  # its text may show a value
            raise UnreadableFile(
                f"{file} has a value that DuckDB refuses with {type(error).__name__} in rows {first} to {first + rows - 1}; "
                "write the file again with plain types, for example as CSV"
            ) from None
        finally:
            self._con.unregister("batch")
        self._read += rows

    def _write_checked(self, file: str) -> None:
        names = ", ".join(quote_name(column.name) for column in self._columns)
        self._write_events(self._table(f'SELECT {names} FROM checked WHERE "@reason" IS NULL'))
        self._quarantine.add(
            self._table(
                f'SELECT "@reason" AS reason, {string_literal(file)} AS file, "@row" AS row, "@record" AS record '
                'FROM checked WHERE "@reason" IS NOT NULL'
            )
        )

    def add_malformed(self, file: str, row: int, why: str, record: str) -> None:
        """Send a row that could not be parsed to quarantine."""
        self._read += 1
        self._quarantine.add_rows([(why, file, row, record)])

    def formats_of_times(self) -> tuple[str, ...]:
        """The formats that fit all times of the source, if none was told and no row has fitted; several fit equally well."""
        return self._formats.found()

    def _table(self, sql: str) -> pa.Table:
        return self._con.sql(sql).to_arrow_table()

    def _checked_sql(self, batch: pa.RecordBatch, mapped: ColumnMapping, first: int) -> str:
        """SQL that converts, then checks: the same steps as the build's validation. Names that begin with @ are internal."""
        record = ", ".join(f"{quote_name(name)} := {quote_name(name)}" for name in batch.schema.names)
        given = "".join(f", {expression} AS {name}" for name, expression in mapped.intermediate.items())
        raw = ", ".join(
            f"{self._raw_expression(column, mapped)} AS {quote_name(column.name)}" for column in self._columns
        )
        faults = " ".join(f"WHEN {condition} THEN {string_literal(why)}" for condition, why in mapped.faults)
        fault = f'coalesce("@broken", {f"CASE {faults} END" if faults else "NULL"})'
        mapping = (
            f"WITH numbered AS (SELECT {_decoded_sql(batch.schema, mapped.reads)}, "
            f'{first - 1} + row_number() OVER () AS "@row" FROM batch), given AS (SELECT *{given} FROM numbered), '
            f'mapped AS (SELECT {raw}, {fault} AS "@fault", "@row", '
            f'struct_pack({record}) AS "@raw" FROM given)'
        )
        types = {
            str(name): str(kind)
            for name, kind, *_ in self._con.execute(f"DESCRIBE {mapping} FROM mapped").fetchall()
        }
        fitted = ", ".join(
            f"{conversion_sql(column, types[column.name])} AS {quote_name(column.name)}"
            for column in self._columns
        )
        return (
            f'{mapping}, fitted AS (SELECT {fitted}, "@fault", "@row", "@raw" FROM mapped), '
            f'judged AS (SELECT *, coalesce("@fault", {reason_sql(self._columns, self._month)}) AS "@reason" FROM fitted) '
            'SELECT * EXCLUDE ("@raw"), CASE WHEN "@reason" IS NOT NULL THEN to_json("@raw")::VARCHAR END AS "@record" '
            'FROM judged ORDER BY "@row"'
        )

    def _raw_expression(self, column: EventColumn, mapped: ColumnMapping) -> str:
        if column.name in mapped.columns:
            return mapped.columns[column.name]
        if column.kind is Kind.CODE:
            return f"{string_literal(str(column.absent))}::{enum_type(column.codes)}"
        return f"{int(column.absent or 0)}::BIGINT"

    def _write_events(self, table: pa.Table) -> None:
        if not table.num_rows:
            return
        if self._writer is None or self._in_file >= ROWS_PER_FILE:
            self._next_file()
        assert self._writer is not None
        self._writer.write_table(
            pa.table([_cast_to_stored_type(table[f.name], f.type) for f in self._schema], schema=self._schema)
        )
        self._in_file += table.num_rows
        self._kept += table.num_rows

    def _next_file(self) -> None:
        self._close_file()
        path = self._staging.events / f"part-{self._files:05d}.parquet"
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._files, self._in_file = self._files + 1, 0

    def _close_file(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def totals(self) -> RowTotals:
        """Numbers of rows read, kept and quarantined: private."""
        return RowTotals(self._read, self._kept, self._quarantine.rows, dict(self._quarantine.reasons))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_file()
        self._quarantine.__exit__(kind, error, trace)
        self._con.close()


def _decoded_sql(schema: pa.Schema, reads: tuple[str, ...]) -> str:
    """SQL for the columns of a batch, bytes as text if they are UTF-8 and otherwise NULL, and "@broken": the reason why a row
    does not fit if the mapping reads such bytes, otherwise NULL."""
    of_bytes = [
        field.name
        for field in schema
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
    ]
    text = {name: f"TRY(decode({quote_name(name)}))" for name in of_bytes}
    replaced = ", ".join(f"{sql} AS {quote_name(name)}" for name, sql in text.items())
    broken = " ".join(
        f"WHEN {quote_name(name)} IS NOT NULL AND {sql} IS NULL THEN {string_literal(not_utf8(name))}"
        for name, sql in text.items()
        if name in reads
    )
    columns = f"* REPLACE ({replaced})" if replaced else "*"
    return f'{columns}, {f"CASE {broken} END" if broken else "NULL::VARCHAR"} AS "@broken"'


def _cast_to_stored_type(values: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_dictionary(wanted) and values.type != wanted:
        return pa.chunked_array([chunk.cast(wanted) for chunk in values.chunks], wanted)
    return values.cast(wanted)


def missing_levels_and_values(
    dataset: Dataset, mapped: ColumnMapping
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The levels and the values of a declaration that have no counterpart in the source."""
    columns = event_columns(dataset)
    values = {value.name for value in dataset.values}
    missing = [column.name for column in columns if column.name not in mapped.columns]
    finest = {d.finest.name: tuple(level.name for level in d.levels) for d in dataset.dimensions}
    levels = tuple(level for name in missing if name not in values for level in finest[name])
    return levels, tuple(name for name in missing if name in values)
