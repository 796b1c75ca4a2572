"""The files of a month and their column types, checked before any row is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.pipeline.engine.columns import EventColumn
from datasets.refusal import Refusal, did_you_mean, printable


class UnreadableEvents(Refusal):
    """A file of raw events is not a Parquet file, or is damaged."""


class MissingColumn(Refusal):
    """A file of raw events lacks a column that the declaration requires."""


@dataclass(frozen=True)
class EventsPart:
    """Files that store the same columns in the same SQL types, and the number of rows in their footers."""

    files: tuple[Path, ...]
    types: Mapping[str, str]
    rows: int


ROWS_PER_PART = 1 << 22
"""Files are grouped up to about this many rows. A group is one step of a build; a killed build resumes after it."""


def group_files(files: Iterable[Path], columns: Iterable[EventColumn]) -> list[EventsPart]:
    """The files of a month in groups with the same columns and types. Reads only footers.

    Raises UnreadableEvents and MissingColumn, which name the file.
    """
    wanted = tuple(columns)
    by_layout: dict[tuple[tuple[str, str], ...], list[tuple[Path, int]]] = {}
    with duckdb.connect(config={"threads": 1}) as con:
        for path in files:
            types, rows = _layout(con, path)
            _ensure_columns(path, types, wanted)
            by_layout.setdefault(tuple(types.items()), []).append((path, rows))
    return [
        EventsPart(tuple(path for path, _ in some), dict(layout), sum(rows for _, rows in some))
        for layout, found in by_layout.items()
        for some in _split_by_size(found)
    ]


def _split_by_size(files: list[tuple[Path, int]]) -> Iterator[list[tuple[Path, int]]]:
    some: list[tuple[Path, int]] = []
    for path, rows in files:
        if some and sum(each for _, each in some) + rows > ROWS_PER_PART:
            yield some
            some = []
        some.append((path, rows))
    yield some


def _layout(con: duckdb.DuckDBPyConnection, path: Path) -> tuple[dict[str, str], int]:
    """The columns of a file and the types DuckDB gives them, and its number of rows."""
    try:
        rows = pq.ParquetFile(path).metadata.num_rows
        described = con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [[escape_glob(path)]]).fetchall()
    except (pa.ArrowException, duckdb.Error, OSError):
        raise UnreadableEvents(
            f"{path} is not a Parquet file, or is damaged; raw events are Parquet files as "
            "`daylight events` writes them"
        ) from None
    return {str(name): str(kind) for name, kind, *_ in described}, rows


def _ensure_columns(path: Path, types: Mapping[str, str], wanted: tuple[EventColumn, ...]) -> None:
    for column in wanted:
        if column.name not in types:
            raise MissingColumn(
                f"{path} has no column {column.name!r}, which must contain {column.expected}; it has "
                f"{', '.join(printable(name) for name in list(types)[:40])}."
                + did_you_mean(column.name, types)
            )


def escape_glob(path: Path) -> str:
    """A path in which DuckDB does not interpret * ? [ as patterns."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))
