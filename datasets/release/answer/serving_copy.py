"""The serving copy of a release: its cells in a DuckDB file, made from the Parquet, with codes as positions.

The Parquet is the artefact; this file is a cache that may be deleted at any time.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from datasets.privacy.axis import Floats
from datasets.privacy.plan import cell_count
from datasets.release.answer.deadline import Deadline
from datasets.release.answer.grid import Grid
from datasets.release.format import layout
from datasets.release.format.codebook import Codebook
from datasets.release.format.manifest import Manifest
from datasets.release.format.measures import PublishedMeasure
from datasets.release.format.verification import ReleaseDamaged

log = logging.getLogger("daylight.release")


@dataclass(frozen=True)
class ServingCopy:
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
        grouped = [asked for asked in grid.selections if asked is not None and asked.groups is not None]
        places = tuple(
            np.searchsorted(asked.groups, columns[f"g{i}"])
            for i, asked in enumerate(grouped)
            if asked.groups is not None
        )
        found: dict[str, Floats] = {}
        for measure in measures:
            found[measure] = np.zeros(grid.shape)
            found[measure][places] = columns[f"m_{measure}"] if places else columns[f"m_{measure}"][0]
        return found

    def sql(self, grid: Grid, cuboid: str, measures: tuple[str, ...]) -> tuple[str, list[object]]:
        """The query for one cuboid: names from the codebook, codes as positions, every value bound.

        Nothing is added up where each asked cell is a cell of the cuboid.
        """
        groups, conditions, values = [], ["cuboid = ?"], [self.cuboids[cuboid]]
        bound: list[object] = list(values)
        for dimension, asked in zip(grid.codebook.dimensions, grid.selections, strict=True):
            if asked is None:
                continue
            column = _name(dimension.levels[asked.level - 1].name)
            if asked.groups is not None and asked.grouped_level is not None:
                groups.append(_name(dimension.levels[asked.grouped_level - 1].name))
            if not asked.mask.all():
                conditions.append(f"list_contains(?, {column})")
                bound.append([int(position) for position in np.flatnonzero(asked.mask)])
        alike = grid.codebook.cuboid(cuboid) == tuple(
            asked.grouped_level or -1 if asked else 0 for asked in grid.selections
        )
        value = "{}" if alike else "sum({})"
        selected = [
            *(f"{name} AS g{i}" for i, name in enumerate(groups)),
            *(f"{value.format(_name(measure))} AS m_{measure}" for measure in measures),
        ]
        by = f" GROUP BY {', '.join(groups)}" if groups and not alike else ""
        return (
            f"SELECT {', '.join(selected)} FROM {self.schema}.cells WHERE {' AND '.join(conditions)}{by}",
            bound,
        )


def attach(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: Manifest,
    book: Codebook,
    measures: Mapping[str, PublishedMeasure],
    cache: Path,
    fingerprint: str,
) -> ServingCopy:
    """Attach a verified release to `con`, making its serving copy first where there is none or it is damaged.

    The copy is named after `fingerprint`, the manifest's hash, so a copy of anything else is never mistaken for it. Raises
    ReleaseDamaged where a cell is missing that the codebook and the manifest promise.
    """
    schema = f"release_{manifest.dataset}_{manifest.release.replace('-', '_').replace('.', '_')}_{fingerprint[:16]}"
    path = cache / f"{schema}.duckdb"
    sizes = {
        name: cell_count(book.axes, cuboid) for m in measures.values() for name, cuboid in m.cuboids.items()
    }
    cuboids = {name: position for position, name in enumerate(sorted(sizes))}
    expected = {
        (cuboids[name], size, *(size if name in measures[m.name].cuboids else 0 for m in book.measures))
        for name, size in sizes.items()
    }
    with con.cursor() as cursor:
        if not path.is_file() or not _attached(cursor, path, schema, book, expected):
            _make(path, folder, book, sorted(sizes))
            if not _attached(cursor, path, schema, book, expected):
                path.unlink(missing_ok=True)
                raise ReleaseDamaged(f"release {folder.name}: its cells are not those of its codebook")
    return ServingCopy(schema, cuboids)


def _attached(
    cursor: duckdb.DuckDBPyConnection, path: Path, schema: str, book: Codebook, expected: set[tuple[int, ...]]
) -> bool:
    """Attach a serving copy; False, and detached, where it cannot be read or does not hold every cell."""
    counts = ", ".join(f"count({_name(measure.name)})" for measure in book.measures)
    try:
        if schema not in attached_schemas(
            cursor
        ):  # IF NOT EXISTS can spin for ever in DuckDB 2.0: decisions/0005
            cursor.execute(f"ATTACH '{_quoted(path)}' AS {schema} (READ_ONLY)")
        found = cursor.execute(f"SELECT cuboid, count(*), {counts} FROM {schema}.cells GROUP BY cuboid")
        if set(found.fetchall()) == expected:
            return True
    except duckdb.Error as error:
        log.warning("the serving copy %s cannot be read: %s", path.name, type(error).__name__)
    with suppress(duckdb.Error):
        cursor.execute(f"DETACH {schema}")
    return False


def attached_schemas(cursor: duckdb.DuckDBPyConnection) -> set[str]:
    """The schemas of the serving copies that are attached."""
    found = cursor.execute(
        "SELECT database_name FROM duckdb_databases() WHERE starts_with(database_name, 'release_')"
    )
    return {str(name) for (name,) in found.fetchall()}


def detach_all(con: duckdb.DuckDBPyConnection) -> None:
    """Detach every serving copy."""
    for schema in attached_schemas(con):
        with suppress(duckdb.Error):  # a query that still runs keeps its copy until it ends
            con.execute(f"DETACH {schema}")


def _make(path: Path, folder: Path, book: Codebook, cuboids: list[str]) -> None:
    """Write the serving copy beside where it belongs and put it there whole. Raises ReleaseDamaged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{uuid.uuid4().hex}.duckdb")
    columns = [
        f"enum_code(cuboid::{_enum(cuboids)})::USMALLINT AS cuboid",
        *(
            f"enum_code({_name(level.name)}::VARCHAR::{_enum(level.index)})::USMALLINT AS {_name(level.name)}"
            for level in book.levels.values()
        ),
        *(_name(measure.name) for measure in book.measures),
    ]
    source = f"read_parquet('{_quoted(folder / layout.CELLS)}')"
    try:
        with duckdb.connect(str(fresh), config={"threads": 1}) as con:
            con.execute(f"CREATE TABLE cells AS SELECT {', '.join(columns)} FROM {source} ORDER BY 1")
        fresh.replace(path)
    except (duckdb.ConversionException, duckdb.BinderException, duckdb.InvalidInputException) as error:
        raise ReleaseDamaged(f"release {folder.name}: its cells are not those of its codebook") from error
    finally:
        for left in path.parent.glob(f"{fresh.name}*"):
            left.unlink()


def _name(name: str) -> str:
    """A column's name in a query. The codebook admits letters, digits and underscores only."""
    return f'"{name}"'


def _enum(codes: Iterable[str]) -> str:
    return f"ENUM({', '.join(_text(code) for code in codes)})"


def _text(code: str) -> str:
    return "'" + code.replace("'", "''") + "'"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
