"""The serving copy of a release: its cells in a DuckDB file, made from the Parquet, with codes as positions.

The Parquet is the artefact; this file is a cache that may be deleted at any time.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Timer
from types import TracebackType
from typing import Self

import duckdb
import numpy as np

from datasets.privacy.axis import Floats
from datasets.refusal import Refusal
from datasets.release import layout
from datasets.release.codebook import Codebook
from datasets.release.grid import Grid
from datasets.release.manifest import Manifest


class QuestionInterrupted(Refusal):
    """A question that took longer than its deadline, or whose asker has left."""


class Deadline:
    """Stops the queries that run under it when its seconds are over, or when `interrupt` is called."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._over = Event()
        self._timer = Timer(seconds, self.interrupt)
        self._timer.daemon = True
        self._cursor: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def interrupt(self) -> None:
        """Stop what runs, and whatever would run next. Safe from any thread."""
        self._over.set()
        cursor = self._cursor
        if cursor is not None:
            with suppress(duckdb.Error):
                cursor.interrupt()

    def fetch(
        self, cursor: duckdb.DuckDBPyConnection, sql: str, values: list[object]
    ) -> dict[str, np.ndarray]:
        """The columns of a query's answer. Raises QuestionInterrupted."""
        self._cursor = cursor
        try:
            if self._over.is_set():
                raise duckdb.InterruptException("over")
            return cursor.execute(sql, values).fetchnumpy()
        except duckdb.InterruptException:
            raise QuestionInterrupted(
                f"the question was stopped; it may take {self._seconds:g} seconds. Ask fewer groups or a shorter period"
            ) from None
        finally:
            self._cursor = None


@dataclass(frozen=True)
class Shelf:
    """One release as DuckDB holds it: the schema under which it is attached, and where its cuboids stand."""

    schema: str
    cuboids: dict[str, int]

    def values(
        self,
        con: duckdb.DuckDBPyConnection,
        grid: Grid,
        cuboid: str,
        measures: tuple[str, ...],
        deadline: Deadline,
    ) -> dict[str, Floats]:
        """The sum of each measure in each cell of the grid, from one cuboid; shape: the grid's grouped dimensions."""
        sql, values = self.sql(grid, cuboid, measures)
        with con.cursor() as cursor:
            columns = deadline.fetch(cursor, sql, values)
        grouped = [asked for asked in grid.asked if asked is not None and asked.groups is not None]
        shape = tuple(len(asked.groups) for asked in grouped if asked.groups is not None)
        places = tuple(
            np.searchsorted(asked.groups, columns[f"g{i}"])
            for i, asked in enumerate(grouped)
            if asked.groups is not None
        )
        found: dict[str, Floats] = {}
        for measure in measures:
            found[measure] = np.zeros(shape)
            found[measure][places] = columns[f"m_{measure}"] if places else columns[f"m_{measure}"][0]
        return found

    def sql(self, grid: Grid, cuboid: str, measures: tuple[str, ...]) -> tuple[str, list[object]]:
        """The query for one cuboid: names from the codebook, codes as positions, every value bound."""
        groups, conditions, values = [], ["cuboid = ?"], [self.cuboids[cuboid]]
        bound: list[object] = list(values)
        for dimension, asked in zip(grid.codebook.dimensions, grid.asked, strict=True):
            if asked is None:
                continue
            column = dimension.levels[asked.level - 1].name
            if asked.groups is not None and asked.grouped_level is not None:
                groups.append(dimension.levels[asked.grouped_level - 1].name)
            if not asked.mask.all():
                conditions.append(f"list_contains(?, {column})")
                bound.append([int(position) for position in np.flatnonzero(asked.mask)])
        selected = [
            *(f"{name} AS g{i}" for i, name in enumerate(groups)),
            *(f"sum({measure}) AS m_{measure}" for measure in measures),
        ]
        by = f" GROUP BY {', '.join(groups)}" if groups else ""
        return (
            f"SELECT {', '.join(selected)} FROM {self.schema}.cells WHERE {' AND '.join(conditions)}{by}",
            bound,
        )


def shelve(
    con: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, book: Codebook, cache: Path
) -> Shelf:
    """Attach a verified release to `con`, making its serving copy first where there is none.

    The copy is named after the manifest's hash, so a copy of anything else is never mistaken for it.
    """
    fingerprint = layout.sha256_of(folder / layout.MANIFEST)[:16]
    schema = (
        f"release_{manifest.dataset}_{manifest.release.replace('-', '_').replace('.', '_')}_{fingerprint}"
    )
    path = cache / f"{schema}.duckdb"
    names = sorted({name for measure in manifest.measures for name in measure.cuboids})
    cuboids = {name: position for position, name in enumerate(names)}
    if not path.is_file() or not _attached(con, path, schema):
        _make(path, folder / layout.CELLS, book, names)
        if not _attached(con, path, schema):
            raise Refusal(f"the serving copy of {manifest.dataset} {manifest.release} cannot be opened")
    return Shelf(schema, cuboids)


def _attached(con: duckdb.DuckDBPyConnection, path: Path, schema: str) -> bool:
    try:
        con.execute(f"ATTACH IF NOT EXISTS '{_quoted(path)}' AS {schema} (READ_ONLY)")
        con.execute(f"SELECT count(*) FROM {schema}.cells").fetchall()
    except duckdb.Error:
        with suppress(duckdb.Error):
            con.execute(f"DETACH {schema}")
        return False
    return True


def _make(path: Path, cells: Path, book: Codebook, cuboids: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{uuid.uuid4().hex}.duckdb")
    columns = [
        f"enum_code(cuboid::{_enum(cuboids)})::USMALLINT AS cuboid",
        *(
            f"enum_code({level.name}::VARCHAR::{_enum(level.index)})::USMALLINT AS {level.name}"
            for level in book.levels.values()
        ),
        *(measure.name for measure in book.measures),
    ]
    try:
        with duckdb.connect(str(fresh), config={"threads": 1}) as con:
            con.execute(
                f"CREATE TABLE cells AS SELECT {', '.join(columns)} FROM read_parquet('{_quoted(cells)}') ORDER BY 1"
            )
        fresh.replace(path)
    finally:
        for left in path.parent.glob(f"{fresh.name}*"):
            left.unlink()


def _enum(codes: Iterable[str]) -> str:
    return f"ENUM({', '.join(_text(code) for code in codes)})"


def _text(code: str) -> str:
    return "'" + code.replace("'", "''") + "'"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
