"""The serving copy of a release: its cells in a DuckDB file, from which questions are answered.

It is made from the released Parquet, with codes as positions in their code lists. It is a cache: it may be deleted, and
nothing in it is believed that this deployment did not write.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import duckdb
import numpy as np

from datasets.privacy.axis import Floats
from datasets.release.answer.copy_cache import AttachedCopy, CopyCache
from datasets.release.answer.copy_source import CopySource, quote_identifier
from datasets.release.answer.deadline import Deadline
from datasets.release.answer.grid import Grid
from datasets.release.format.verification import ReleaseUnavailable

log = logging.getLogger("daylight.release")

QUESTION_WAIT_SECONDS = 1.0
"""How long a question waits for another process that holds the lock of the cache."""
_ATTEMPTS = 3
"""How often a query is repeated because the copy was changed while the query read it."""


@dataclass(frozen=True)
class ServingCopy:
    """The serving copy of one release, which is verified before and after each query."""

    source: CopySource
    copies: CopyCache

    def attach(self, wait_seconds: float = QUESTION_WAIT_SECONDS) -> AttachedCopy:
        """The attached copy. It is made again if it has changed. Raises ReleaseDamaged, OSError, duckdb.Error."""
        return self.copies.attach(self.source, wait_seconds)

    def values(
        self,
        con: duckdb.DuckDBPyConnection,
        grid: Grid,
        cuboid: str,
        measures: tuple[str, ...],
        deadline: Deadline,
    ) -> dict[str, Floats]:
        """The sum of each measure in each cell of the grid, from one cuboid; shape: the grid's grouped dimensions.

        Raises QuestionInterrupted, ReleaseUnavailable if the copy can neither be read nor made, ReleaseDamaged.
        """
        columns = self._fetch(con, grid, cuboid, measures, deadline)
        places = tuple(np.searchsorted(groups, columns[f"g{i}"]) for i, groups in enumerate(grid.groups))
        tables: dict[str, Floats] = {}
        for measure in measures:
            tables[measure] = np.zeros(grid.shape)
            tables[measure][places] = columns[f"m_{measure}"] if places else columns[f"m_{measure}"][0]
        return tables

    def _fetch(
        self,
        con: duckdb.DuckDBPyConnection,
        grid: Grid,
        cuboid: str,
        measures: tuple[str, ...],
        deadline: Deadline,
    ) -> dict[str, np.ndarray]:
        """The columns of one query, read from a copy that was the same before and after it."""
        for _ in range(_ATTEMPTS):
            attached = self._attach_again()
            sql, parameters = self.sql(attached.schema, grid, cuboid, measures)
            try:
                with con.cursor() as cursor:
                    columns = deadline.fetch(cursor, sql, parameters)
            except duckdb.Error:
                # a changed file may be unreadable, and another thread detaches it
                if attached.file.is_unchanged:
                    raise
                continue
            if attached.file.is_unchanged:
                return columns
        raise ReleaseUnavailable(
            f"release {self.source.folder.name}: its serving copy is being changed again and again"
        )

    def _attach_again(self) -> AttachedCopy:
        try:
            return self.attach()
        except (duckdb.Error, OSError) as error:
            name = self.source.folder.name
            log.warning("a question to release %s is refused for now: %s", name, error)
            raise ReleaseUnavailable(
                f"release {name}: its serving copy can neither be read nor made at the moment; ask again later"
            ) from error

    def sql(
        self, schema: str, grid: Grid, cuboid: str, measures: tuple[str, ...]
    ) -> tuple[str, list[object]]:
        """The query for one cuboid: names from the codebook, codes as positions, every value bound.

        It adds nothing up if each cell of the grid is a cell of the cuboid.
        """
        groups, conditions = [], ["cuboid = ?"]
        parameters: list[object] = [self.source.cuboids[cuboid]]
        for dimension, selection in zip(grid.codebook.dimensions, grid.selections, strict=True):
            if selection is None:
                continue
            column = quote_identifier(dimension.levels[selection.level - 1].name)
            if selection.grouped_level is not None:
                groups.append(quote_identifier(dimension.levels[selection.grouped_level - 1].name))
            if not selection.mask.all():
                conditions.append(f"list_contains(?, {column})")
                parameters.append([int(position) for position in np.flatnonzero(selection.mask)])
        is_cuboid = grid.codebook.cuboid(cuboid) == tuple(
            selection.grouped_level or -1 if selection else 0 for selection in grid.selections
        )
        value = "{}" if is_cuboid else "sum({})"
        selected = [
            *(f"{name} AS g{i}" for i, name in enumerate(groups)),
            *(f"{value.format(quote_identifier(measure))} AS m_{measure}" for measure in measures),
        ]
        by = f" GROUP BY {', '.join(groups)}" if groups and not is_cuboid else ""
        return (
            f"SELECT {', '.join(selected)} FROM {schema}.cells WHERE {' AND '.join(conditions)}{by}",
            parameters,
        )
