"""The formats of an answer, with the same columns and types in all, and how an answer is told apart from another."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from datetime import date

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import Request, Response

from datasets.release.answer import Answer

FORMATS = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
ARROW = {"string": pa.string(), "date": pa.date32(), "float": pa.float64()}
"""The Arrow type of each type of column: the same in Parquet and Arrow, and what a reader should make of CSV and JSON."""


def as_json(answer: Answer) -> bytes:
    """One object: `data` has an object for each row, beside what the answer rests on."""
    names = [column.name for column in answer.columns]
    columns = [{"name": column.name, "type": column.type} for column in answer.columns]
    data = [dict(zip(names, row, strict=True)) for row in answer.rows]
    return orjson.dumps({**answer.meta, "columns": columns, "data": data})


def as_csv(answer: Answer) -> bytes:
    """A header and a line for each row (RFC 4180); numbers are written so that they read back the same."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in answer.columns])
    writer.writerows(answer.rows)
    return text.getvalue().encode()


def as_ndjson(answer: Answer) -> bytes:
    """A JSON object for each row, and nothing else."""
    names = [column.name for column in answer.columns]
    return b"".join(orjson.dumps(dict(zip(names, row, strict=True))) + b"\n" for row in answer.rows)


def as_parquet(answer: Answer) -> bytes:
    """One Parquet file; what the answer rests on is in the file's metadata under `daylight`, as JSON."""
    sink = pa.BufferOutputStream()
    pq.write_table(_table(answer), sink, compression="zstd")
    return bytes(sink.getvalue())


def as_arrow(answer: Answer) -> bytes:
    """One Arrow IPC stream, with the same columns, types and metadata as the Parquet file."""
    table, sink = _table(answer), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _table(answer: Answer) -> pa.Table:
    fields = [pa.field(column.name, ARROW[column.type]) for column in answer.columns]
    columns = list(zip(*answer.rows, strict=True)) or [()] * len(fields)
    arrays = [
        pa.array(
            [date.fromisoformat(day) for day in values] if field.type == pa.date32() else values, field.type
        )
        for field, values in zip(fields, columns, strict=True)
    ]
    return pa.table(arrays, schema=pa.schema(fields, {"daylight": orjson.dumps(answer.meta)}))


RENDER: dict[str, Callable[[Answer], bytes]] = {
    "json": as_json,
    "ndjson": as_ndjson,
    "csv": as_csv,
    "parquet": as_parquet,
    "arrow": as_arrow,
}


def tagged(request: Request, body: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """An answer with a strong validator, or 304 where the asker has these very bytes (RFC 9110, section 13)."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    fields = {
        **headers,
        "ETag": etag,
        "Cache-Control": "private, max-age=0, must-revalidate",
        "Vary": "Accept, Authorization",
    }
    if request.method == "GET" and is_known(request, etag):
        return Response(None, 304, fields)
    return Response(body, 200, fields, media_type)


def is_known(request: Request, etag: str) -> bool:
    """Whether the asker says that it has what this validator names (RFC 9110, section 13.1.2)."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in known or "*" in known


def json_response(request: Request, document: object) -> Response:
    """Metadata as JSON, with a validator."""
    return tagged(request, orjson.dumps(document), FORMATS["json"], {})
