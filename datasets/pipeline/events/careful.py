"""Careful reading of Parquet files, through Arrow: for files that hold a value that DuckDB's own reader refuses.

DuckDB ends a query at the first text that is not UTF-8 and at the first time that it cannot represent, and its message shows
the value (docs/traps.md#duckdb-one-bad-value-in-parquet-ends-the-query). Read this way, such a row is quarantined like any
other that does not fit. It takes longer, so it is used only after DuckDB has refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from datasets.pipeline.engine.arrow import is_text, readable_column

FILE, ROW = "file", "row"
_BATCH = 1 << 16


@dataclass(frozen=True)
class CarefulReader:
    """The rows of files that store the same columns in the same SQL types; DuckDB reads them anew for each query.

    It has the columns `names`, text as bytes, then `file` and `row`, which counts from 0 within its file.
    """

    files: Sequence[Path]
    names: Sequence[str]

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows as a stream, as the Arrow PyCapsule interface describes."""
        stream = pa.RecordBatchReader.from_batches(self._schema(), self._batches())
        return stream.__arrow_c_stream__(requested_schema)

    def _schema(self) -> pa.Schema:
        with open_plain(self.files[0]) as file:
            stored = file.schema_arrow
        fields = [(name, _plain_type(stored.field(name).type)) for name in self.names]
        return pa.schema([*fields, (FILE, pa.string()), (ROW, pa.int64())])

    def _batches(self) -> Iterator[pa.RecordBatch]:
        schema = self._schema()
        for path in self.files:
            passed = 0
            with open_plain(path) as file:
                for batch in file.iter_batches(_BATCH, columns=list(self.names)):
                    yield _plain_batch(batch, schema, path, passed)
                    passed += batch.num_rows

    def read_to_the_end(self) -> None:
        """Raises an error of Arrow or of the operating system if a file is damaged."""
        for _ in self._batches():
            pass


def open_plain(path: Path) -> pq.ParquetFile:
    """A Parquet file with the types that Parquet stores, as DuckDB sees them, and not those of the Arrow table before.

    Arrow would make dictionaries again of columns that were some, and refuse them for a text that is not UTF-8. There is no
    option for that, so the description of the Arrow table is renamed in the footer that is handed over. Raises ArrowException
    and OSError.
    """
    footer = BytesIO()
    pq.read_metadata(path).write_metadata_file(footer)
    plain = pa.BufferReader(footer.getvalue().replace(b"ARROW:schema", b"ARROW:ignore"))
    return pq.ParquetFile(path, metadata=pq.read_metadata(plain), coerce_int96_timestamp_unit="us")


def _plain_batch(batch: pa.RecordBatch, schema: pa.Schema, path: Path, passed: int) -> pa.RecordBatch:
    columns = [
        readable_column(batch.column(field.name)).cast(field.type)
        for field in schema
        if field.name not in {FILE, ROW}
    ]
    rows = pa.array(range(passed, passed + batch.num_rows), pa.int64())
    files = pa.repeat(pa.scalar(str(path)), batch.num_rows)
    return pa.RecordBatch.from_arrays([*columns, files, rows], schema=schema)


def _plain_type(stored: pa.DataType) -> pa.DataType:
    """The type in which a column is passed on: one for all that DuckDB reads from Parquet as the same SQL type."""
    if is_text(stored):
        return pa.binary()
    if pa.types.is_timestamp(stored) and stored.unit != "ns":
        return pa.timestamp("us", stored.tz)
    return stored
