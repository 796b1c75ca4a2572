"""The serving copy of a release: its cells in a DuckDB file, from which questions are answered.

It is made from the released Parquet, with codes as positions in their code lists. It is a cache: it may be deleted.
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
    """An attached serving copy: the schema under which DuckDB knows it, and the number of each cuboid in it."""

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
        """The sum of each measure in each cell of the grid, from one cuboid; shape: the grid's grouped dimensions.

        Raises QuestionInterrupted.
        """
        sql, parameters = self.sql(grid, cuboid, measures)
        with con.cursor() as cursor:
            columns = deadline.fetch(cursor, sql, parameters)
        places = tuple(np.searchsorted(groups, columns[f"g{i}"]) for i, groups in enumerate(grid.groups))
        tables: dict[str, Floats] = {}
        for measure in measures:
            tables[measure] = np.zeros(grid.shape)
            tables[measure][places] = columns[f"m_{measure}"] if places else columns[f"m_{measure}"][0]
        return tables

    def sql(self, grid: Grid, cuboid: str, measures: tuple[str, ...]) -> tuple[str, list[object]]:
        """The query for one cuboid: names from the codebook, codes as positions, every value bound.

        It adds nothing up if each cell of the grid is a cell of the cuboid.
        """
        groups, conditions = [], ["cuboid = ?"]
        parameters: list[object] = [self.cuboids[cuboid]]
        for dimension, selection in zip(grid.codebook.dimensions, grid.selections, strict=True):
            if selection is None:
                continue
            column = _quote_identifier(dimension.levels[selection.level - 1].name)
            if selection.grouped_level is not None:
                groups.append(_quote_identifier(dimension.levels[selection.grouped_level - 1].name))
            if not selection.mask.all():
                conditions.append(f"list_contains(?, {column})")
                parameters.append([int(position) for position in np.flatnonzero(selection.mask)])
        is_cuboid = grid.codebook.cuboid(cuboid) == tuple(
            selection.grouped_level or -1 if selection else 0 for selection in grid.selections
        )
        value = "{}" if is_cuboid else "sum({})"
        selected = [
            *(f"{name} AS g{i}" for i, name in enumerate(groups)),
            *(f"{value.format(_quote_identifier(measure))} AS m_{measure}" for measure in measures),
        ]
        by = f" GROUP BY {', '.join(groups)}" if groups and not is_cuboid else ""
        return (
            f"SELECT {', '.join(selected)} FROM {self.schema}.cells WHERE {' AND '.join(conditions)}{by}",
            parameters,
        )


def attach(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: Manifest,
    codebook: Codebook,
    measures: Mapping[str, PublishedMeasure],
    cache: Path,
    fingerprint: str,
) -> ServingCopy:
    """Attach the serving copy of a verified release to `con`. It is made first if it is missing or damaged.

    The copy is named after `fingerprint`, the manifest's hash, so a copy of anything else is never mistaken for it. Raises
    ReleaseDamaged if a cell is missing that the codebook and the manifest promise.
    """
    schema = f"release_{manifest.dataset}_{manifest.release.replace('-', '_').replace('.', '_')}_{fingerprint[:16]}"
    path = cache / f"{schema}.duckdb"
    sizes = {
        name: cell_count(codebook.axes, cuboid)
        for measure in measures.values()
        for name, cuboid in measure.cuboids.items()
    }
    cuboids = {name: number for number, name in enumerate(sorted(sizes))}
    expected = {
        (cuboids[name], size, *(size if name in measures[m.name].cuboids else 0 for m in codebook.measures))
        for name, size in sizes.items()
    }
    with con.cursor() as cursor:
        if not path.is_file() or not _try_attach(cursor, path, schema, codebook, expected):
            _write_serving_copy(path, folder, codebook, sorted(sizes))
            if not _try_attach(cursor, path, schema, codebook, expected):
                path.unlink(missing_ok=True)
                raise ReleaseDamaged(f"release {folder.name}: its cells are not those of its codebook")
    return ServingCopy(schema, cuboids)


def _try_attach(
    cursor: duckdb.DuckDBPyConnection,
    path: Path,
    schema: str,
    codebook: Codebook,
    expected: set[tuple[int, ...]],
) -> bool:
    """Attach a serving copy. If it cannot be read or does not hold every cell, it is detached again: False.

    `expected` holds for each cuboid its number, its number of rows, and how many of them have a value of each measure.
    """
    counts = ", ".join(f"count({_quote_identifier(measure.name)})" for measure in codebook.measures)
    try:
        # not ATTACH IF NOT EXISTS, which can spin for ever in DuckDB 2.0: decisions/0005
        if schema not in attached_schemas(cursor):
            cursor.execute(f"ATTACH '{_escape_path(path)}' AS {schema} (READ_ONLY)")
        rows = cursor.execute(f"SELECT cuboid, count(*), {counts} FROM {schema}.cells GROUP BY cuboid")
        if set(rows.fetchall()) == expected:
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


def _write_serving_copy(path: Path, folder: Path, codebook: Codebook, cuboids: list[str]) -> None:
    """Write a serving copy to a temporary file and rename it, so that no half of one is ever read. Raises ReleaseDamaged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{uuid.uuid4().hex}.duckdb")
    columns = [
        _position_column("cuboid", cuboids),
        *(_position_column(_quote_identifier(level.name), level.index) for level in codebook.levels.values()),
        *(_quote_identifier(measure.name) for measure in codebook.measures),
    ]
    source = f"read_parquet('{_escape_path(folder / layout.CELLS)}')"
    try:
        with duckdb.connect(str(fresh), config={"threads": 1}) as con:
            con.execute(f"CREATE TABLE cells AS SELECT {', '.join(columns)} FROM {source} ORDER BY 1")
        fresh.replace(path)
    except (duckdb.ConversionException, duckdb.BinderException, duckdb.InvalidInputException) as error:
        raise ReleaseDamaged(f"release {folder.name}: its cells are not those of its codebook") from error
    finally:
        for left in path.parent.glob(f"{fresh.name}*"):
            left.unlink()


def _quote_identifier(name: str) -> str:
    """A column's name in a query. It needs no escaping: the codebook admits letters, digits and underscores only."""
    return f'"{name}"'


def _position_column(column: str, codes: Iterable[str]) -> str:
    """A column whose codes are replaced by their positions in `codes`."""
    enum = f"ENUM({', '.join(_quote_string(code) for code in codes)})"
    return f"enum_code({column}::VARCHAR::{enum})::USMALLINT AS {column}"


def _quote_string(code: str) -> str:
    return "'" + code.replace("'", "''") + "'"


def _escape_path(path: Path) -> str:
    return str(path).replace("'", "''")
