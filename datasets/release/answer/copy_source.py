"""What a serving copy is made from: the Parquet file of a release, and what its codebook and manifest promise of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb

from datasets.privacy.plan import cell_count
from datasets.release.answer.sealed_file import FileChanged, OpenFile
from datasets.release.format import layout
from datasets.release.format.codebook import Codebook
from datasets.release.format.manifest import Manifest
from datasets.release.format.measures import PublishedMeasure
from datasets.release.format.verification import ReleaseDamaged


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

    def counts_query(self, schema: str) -> str:
        """The query that gives `counts` of an attached copy."""
        counts = ", ".join(f"count({quote_identifier(measure.name)})" for measure in self.codebook.measures)
        return f"SELECT cuboid, count(*), {counts} FROM {schema}.cells GROUP BY cuboid"

    def write_copy(self, path: Path) -> None:
        """Write the cells to a new DuckDB file, with codes as positions. Raises ReleaseDamaged.

        The Parquet file is hashed again: it may have been changed since the release was verified.
        """
        columns = [
            _position_column("cuboid", list(self.cuboids)),
            *(
                _position_column(quote_identifier(level.name), level.index)
                for level in self.codebook.levels.values()
            ),
            *(quote_identifier(measure.name) for measure in self.codebook.measures),
        ]
        cells = self._open_cells()
        try:
            with duckdb.connect(str(path), config={"threads": 1}) as con:
                con.execute(
                    f"CREATE TABLE cells AS SELECT {', '.join(columns)} "
                    f"FROM read_parquet('{escape_path(cells.path)}') ORDER BY 1"
                )
            if not (cells.is_unchanged and cells.is_at_its_path):
                raise ReleaseDamaged(f"release {self.folder.name}: {layout.CELLS} changes while it is read")
        except (duckdb.ConversionException, duckdb.BinderException, duckdb.InvalidInputException) as error:
            raise ReleaseDamaged(
                f"release {self.folder.name}: its cells are not those of its codebook"
            ) from error
        finally:
            cells.close()

    def _open_cells(self) -> OpenFile:
        signed = {entry.name: entry.sha256 for entry in self.manifest.files}[layout.CELLS]
        try:
            cells = OpenFile(self.folder / layout.CELLS)
        except (FileChanged, OSError) as error:
            raise ReleaseDamaged(f"release {self.folder.name}: {layout.CELLS} cannot be read") from error
        if cells.sha256 != signed:
            cells.close()
            raise ReleaseDamaged(
                f"release {self.folder.name}: {layout.CELLS} is not the file that was signed"
            )
        return cells


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
