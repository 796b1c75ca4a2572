"""What a serving copy is made from: the Parquet file of a release, and what its codebook and manifest promise of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb

from datasets.privacy.plan import cell_count
from datasets.release.answer.sealed_file import FileChanged, copy_and_hash
from datasets.release.format import layout
from datasets.release.format.codebook import Codebook
from datasets.release.format.manifest import Manifest
from datasets.release.format.measures import PublishedMeasure
from datasets.release.format.verification import ReleaseDamaged

# DuckDB's own types and functions are listed under each database
_OBJECTS = """
SELECT schema_name, name, kind FROM (
    SELECT database_name, schema_name, table_name AS name, 'table' AS kind, internal FROM duckdb_tables()
    UNION ALL SELECT database_name, schema_name, view_name, 'view', internal FROM duckdb_views()
    UNION ALL SELECT database_name, schema_name, function_name, 'macro', internal FROM duckdb_functions()
    UNION ALL SELECT database_name, schema_name, type_name, 'type', internal FROM duckdb_types()
    UNION ALL SELECT database_name, schema_name, sequence_name, 'sequence', false FROM duckdb_sequences()
    UNION ALL SELECT database_name, schema_name, index_name, 'index', false FROM duckdb_indexes()
    UNION ALL SELECT database_name, '', schema_name, 'schema', internal FROM duckdb_schemas()
) WHERE database_name = ? AND NOT internal
"""
# a generated column has its expression as its default
_COLUMNS = """
SELECT column_name, data_type, column_default FROM duckdb_columns() WHERE database_name = ? ORDER BY column_index
"""
_COMPARED = "compared"
"""The schema under which a new copy is attached while it is compared with the release."""


@dataclass(frozen=True)
class CopySource:
    """A verified release, as far as its serving copy depends on it."""

    folder: Path
    manifest: Manifest
    codebook: Codebook
    measures: Mapping[str, PublishedMeasure]
    fingerprint: str
    """The SHA-256 of the manifest."""

    @cached_property
    def name(self) -> str:
        """Names the copy, so that a copy of anything else is not mistaken for it."""
        release = self.manifest.release.replace("-", "_").replace(".", "_")
        return f"release_{self.manifest.dataset}_{release}_{self.fingerprint[:16]}"

    @cached_property
    def cuboids(self) -> dict[str, int]:
        """The number of each cuboid in the copy."""
        return {name: number for number, name in enumerate(sorted(self._sizes))}

    @cached_property
    def counts(self) -> set[tuple[int, ...]]:
        """For each cuboid its number, its number of rows, and how many of them have a value of each measure."""
        return {
            (
                self.cuboids[name],
                size,
                *(size if name in self.measures[m.name].cuboids else 0 for m in self.codebook.measures),
            )
            for name, size in self._sizes.items()
        }

    @cached_property
    def _sizes(self) -> dict[str, int]:
        return {
            name: cell_count(self.codebook.axes, cuboid)
            for measure in self.measures.values()
            for name, cuboid in measure.cuboids.items()
        }

    @cached_property
    def columns(self) -> list[tuple[str, str]]:
        """Name and type of each column of the copy: the cuboid, one per level, one per measure."""
        return [
            *((name, "USMALLINT") for name in ("cuboid", *self.codebook.levels)),
            *((measure.name, "DOUBLE") for measure in self.codebook.measures),
        ]

    @cached_property
    def _names(self) -> list[str]:
        return [quote_identifier(name) for name, _ in self.columns]

    def ensure_own_tables(self, con: duckdb.DuckDBPyConnection, schema: str) -> None:
        """Raises FileChanged if an attached file has anything but the table of a serving copy, such as a view or a macro.

        It is called before any query of `cells`: a view or a generated column would run what somebody else wrote.
        """
        if con.execute(_OBJECTS, [schema]).fetchall() != [("main", "cells", "table")]:
            raise FileChanged("it has more or other things than the table of a serving copy")
        if con.execute(_COLUMNS, [schema]).fetchall() != [(*column, None) for column in self.columns]:
            raise FileChanged("its columns are not those of a serving copy")

    def has_all_cells(self, con: duckdb.DuckDBPyConnection, schema: str) -> bool:
        """Whether an attached copy has as many cells and values in each cuboid as the codebook and manifest promise."""
        counts = ", ".join(f"count({quote_identifier(measure.name)})" for measure in self.codebook.measures)
        found = con.execute(f"SELECT cuboid, count(*), {counts} FROM {schema}.cells GROUP BY cuboid")
        return set(found.fetchall()) == self.counts

    def write_copy(self, folder: Path) -> Path:
        """Write the cells to a new DuckDB file in an empty private folder, with codes as positions, and return its path.

        It is made from a copy of the Parquet file that is hashed while it is written: the file itself may have been changed
        since the release was verified. Raises ReleaseDamaged, OSError, duckdb.Error.
        """
        path, cells = folder / "fresh.duckdb", folder / layout.CELLS
        self._copy_cells(cells)
        try:
            with duckdb.connect(str(path), config={"threads": 1}) as con:
                con.execute(f"CREATE TABLE cells AS {self._select_from(cells)}")
        except (duckdb.ConversionException, duckdb.BinderException, duckdb.InvalidInputException) as error:
            raise self._damaged("its cells are not those of its codebook") from error
        # DuckDB's mode depends on the umask
        path.chmod(0o600)
        return path

    def ensure_equal(self, path: Path) -> None:
        """Compare a copy with the Parquet file beside it, row by row. Raises FileChanged, ReleaseDamaged, duckdb.Error."""
        with duckdb.connect(config={"threads": 1}) as con:
            # attached, since the macros of the file that a connection is opened on take the place of DuckDB's functions
            con.execute(f"ATTACH '{escape_path(path)}' AS {_COMPARED} (READ_ONLY)")
            self.ensure_own_tables(con, _COMPARED)
            if not self.has_all_cells(con, _COMPARED):
                raise self._damaged("its cells are not those of its codebook")
            ((differing,),) = con.execute(self._differing_query(path.with_name(layout.CELLS))).fetchall()
        if differing:
            raise FileChanged("its cells are not those of the release")

    def _differing_query(self, cells: Path) -> str:
        """The query that counts the rows of `cells` that differ from those of the Parquet file, in their order."""
        differs = " OR ".join(f"a.{name} IS DISTINCT FROM b.{name}" for name in self._names)
        # a row that one side lacks is null there, and no cuboid is null
        return f"SELECT count(*) FROM ({self._select_from(cells)}) a POSITIONAL JOIN {_COMPARED}.cells b WHERE {differs}"

    def _select_from(self, cells: Path) -> str:
        """The query that gives the rows of the copy, in their order, from the release's Parquet file."""
        columns = [
            _position_column("cuboid", list(self.cuboids)),
            *(
                _position_column(quote_identifier(level.name), level.index)
                for level in self.codebook.levels.values()
            ),
            *(f'"{measure.name}"::DOUBLE AS "{measure.name}"' for measure in self.codebook.measures),
        ]
        parquet = f"read_parquet('{escape_path(cells)}', file_row_number = true)"
        # by cuboid, since a question reads one; the row's number makes the order total
        return f"SELECT {', '.join(columns)} FROM {parquet} ORDER BY 1, file_row_number"

    def _copy_cells(self, target: Path) -> None:
        signed = {entry.name: entry.sha256 for entry in self.manifest.files}[layout.CELLS]
        try:
            found = copy_and_hash(self.folder / layout.CELLS, target)
        except (FileChanged, FileNotFoundError) as error:
            raise self._damaged(f"{layout.CELLS} cannot be read") from error
        if found != signed:
            raise self._damaged(f"{layout.CELLS} is not the file that was signed")

    def _damaged(self, what: str) -> ReleaseDamaged:
        return ReleaseDamaged(f"release {self.folder.name}: {what}")


def quote_identifier(name: str) -> str:
    """A column's name in a query. It needs no escaping: the codebook admits letters, digits and underscores only."""
    return f'"{name}"'


def escape_path(path: Path) -> str:
    """A path between single quotes in a query."""
    return str(path).replace("'", "''")


def _position_column(column: str, codes: Iterable[str]) -> str:
    """A column whose codes are replaced by their positions in `codes`."""
    enum = f"ENUM({', '.join(_quote_string(code) for code in codes)})"
    return f"enum_code({column}::VARCHAR::{enum})::USMALLINT AS {column}"


def _quote_string(code: str) -> str:
    return "'" + code.replace("'", "''") + "'"
