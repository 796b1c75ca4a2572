"""A result as JSON, NDJSON, CSV, Parquet and Arrow, with the same columns and types in each."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.release.answer.table import Result

ARROW_TYPES = {"string": pa.string(), "date": pa.date32(), "float": pa.float64()}
"""The Arrow type of each column type, in Parquet and Arrow; readers of CSV and JSON should convert to the same types."""


ROWS_PER_CHUNK = 10_000
"""Rows that are written at once; a longer result is streamed."""


def as_json(result: Result) -> Iterator[bytes]:
    """One JSON object: the metadata, the columns, and `data` with an object for each row."""
    columns = [{"name": column.name, "type": column.type} for column in result.columns]
    yield orjson.dumps({**result.meta, "columns": columns})[:-1] + b',"data":['
    between = b""
    for part in result.chunks(ROWS_PER_CHUNK):
        yield between + orjson.dumps(_row_objects(part))[1:-1]
        between = b","
    yield b"]}"


def as_ndjson(result: Result) -> Iterator[bytes]:
    """A JSON object on a line for each row, without the metadata."""
    for part in result.chunks(ROWS_PER_CHUNK):
        yield b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in _row_objects(part))


def as_csv(result: Result) -> Iterator[bytes]:
    """A header and a line for each row (RFC 4180). Numbers are written with enough digits to read back the same number."""
    header: list[tuple[Any, ...]] = [tuple(column.name for column in result.columns)]
    for part in result.chunks(ROWS_PER_CHUNK):
        text = io.StringIO()
        csv.writer(text).writerows(header + part.rows)
        header = []
        yield text.getvalue().encode()


def as_parquet(result: Result) -> Iterator[bytes]:
    """One Parquet file; the metadata of the result are JSON under `daylight` in the file's metadata."""
    sink = pa.BufferOutputStream()
    pq.write_table(_arrow_table(result, _arrow_schema(result)), sink, compression="zstd")
    yield sink.getvalue().to_pybytes()


def as_arrow(result: Result) -> Iterator[bytes]:
    """One Arrow IPC stream, with the same columns, types and metadata as the Parquet file."""
    sink, schema = io.BytesIO(), _arrow_schema(result)
    with pa.ipc.new_stream(sink, schema) as writer:
        for part in result.chunks(ROWS_PER_CHUNK):
            writer.write_table(_arrow_table(part, schema))
            yield _drain(sink)
    yield _drain(sink)


def _drain(sink: io.BytesIO) -> bytes:
    """The bytes written since the last call; the sink is emptied."""
    data = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return data


def _row_objects(result: Result) -> list[dict[str, Any]]:
    """The rows as objects; orjson writes NaN, which stands for a missing number, as null."""
    names = [column.name for column in result.columns]
    columns = [data if isinstance(data, list) else data.tolist() for data in result.data]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _arrow_schema(result: Result) -> pa.Schema:
    fields = [pa.field(column.name, ARROW_TYPES[column.type]) for column in result.columns]
    return pa.schema(fields, {"daylight": orjson.dumps(result.meta)})


def _arrow_table(result: Result, schema: pa.Schema) -> pa.Table:
    arrays = [
        pa.array(data, pa.string()).cast(kind)
        if isinstance(data, list)
        else pa.array(data, kind, from_pandas=True)
        for data, kind in zip(result.data, schema.types, strict=True)
    ]
    return pa.table(arrays, schema=schema)


RENDERERS: dict[str, Callable[[Result], Iterator[bytes]]] = {
    "json": as_json,
    "ndjson": as_ndjson,
    "csv": as_csv,
    "parquet": as_parquet,
    "arrow": as_arrow,
}
