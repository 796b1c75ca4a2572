"""Partitions: the events of a month that fit as narrow rows in private files, all rows of a privacy unit in one partition.

Each partition is bounded independently, so memory holds one partition and not the month. The partition of a unit does not
influence which of its rows count. On disk, the folder of a partition is named `bucket=<n>`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.narrowing import narrow_rows_sql, salt_parameters
from datasets.pipeline.engine.sql import string_literal
from datasets.pipeline.events.parts import escape_glob

ROWS_PER_PARTITION = 1 << 22
"""Rows of a partition, about; each row takes some 50 bytes on disk, and bounding a partition a few hundred MiB."""

_MAX_PARTITIONS = 64

Params = Mapping[str, object]


@dataclass(frozen=True)
class Partitions:
    """`number` partitions under `folder`; each part of the input has files `<part>/bucket=<n>/*.parquet`."""

    folder: Path
    number: int

    def write(
        self, con: duckdb.DuckDBPyConnection, part: str, dataset: Dataset, month: Month, salt: str, valid: str,
        params: Params,
    ) -> None:  # fmt: skip
        """Write the rows of the relation `valid`, an SQL query with `params`, as one part of the input."""
        into = _empty_folder(self.folder / part)
        con.execute(f"SET partitioned_write_flush_threshold = {max(1 << 12, (1 << 20) // self.number)}")
        narrow = narrow_rows_sql(dataset, month, valid)
        rows = con.sql(
            f"SELECT *, (unit_lower % {self.number})::UTINYINT AS bucket FROM ({narrow})",
            params={**params, **salt_parameters(salt)},
        )
        rows.write_parquet(str(into), partition_by=["bucket"], compression="uncompressed")

    def files(self, partition: int | None = None) -> tuple[Path, ...]:
        """The files of one partition, or of all."""
        pattern = f"part-*/bucket={'*' if partition is None else partition}/*.parquet"
        return tuple(sorted(self.folder.glob(pattern)))

    def rows(self) -> int:
        """How many rows were written, from the files' footers."""
        return sum(int(pq.ParquetFile(path).metadata.num_rows) for path in self.files())

    def rows_sql(self, partition: int | None = None) -> str | None:
        """SQL that selects the rows of one partition, or of all; None if there are none."""
        files = self.files(partition)
        names = ", ".join(string_literal(escape_glob(path)) for path in files)
        return f"SELECT * FROM read_parquet([{names}], hive_partitioning = false)" if files else None


def _empty_folder(folder: Path) -> Path:
    """An empty folder. Files left by a killed build would otherwise be counted too.

    DuckDB's `overwrite` replaces only files of the same names (docs/traps.md#duckdb-copy-with-overwrite-leaves-other-files).
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def partitions_for(folder: Path, rows: int) -> Partitions:
    """As many partitions as this number of rows needs."""
    return Partitions(folder, min(_MAX_PARTITIONS, 1 + rows // ROWS_PER_PARTITION))
