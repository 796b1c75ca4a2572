"""Partitions: the valid events of a month as narrow rows in private files, all rows of a privacy unit in one partition.

Each partition is bounded independently, so memory holds one partition and not the month. A narrow row has no text: md5
hashes of the salted unit and of the salted event replace their identifiers (128 bits each; the probability that any two of
10^8 units collide is below 2^-70, and no one can search for a collision without the salt). Codes are packed into words;
values are unchanged. The partition of a unit does not influence which of its rows count. On disk, the folder of a partition
is named `bucket=<n>`. A lot is the salted hash that orders the rows of a unit.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.packing import packed_words_sql
from datasets.pipeline.engine.sql import quote_name
from datasets.pipeline.events.parts import escape_glob

ROWS_PER_PARTITION = 1 << 22
"""Rows of a partition, about; each row takes some 40 bytes on disk, and bounding a partition a few hundred MiB."""

_MAX_PARTITIONS = 64
_LOW = (1 << 64) - 1

Params = Mapping[str, object]


@dataclass(frozen=True)
class Partitions:
    """`number` partitions under `folder`; each part of the input has files `<part>/bucket=<n>/*.parquet`.

    If `suspects.parquet` exists, the rows whose `lot_upper` it lists are replaced by those in the folder `settled`.
    """

    folder: Path
    number: int

    def write(
        self, con: duckdb.DuckDBPyConnection, part: str, dataset: Dataset, month: Month, salt: str, valid: str,
        params: Params,
    ) -> None:  # fmt: skip
        """Write the rows of the relation `valid`, an SQL query with `params`, as one part of the input."""
        into = _empty_folder(self.folder / part)
        con.execute(f"SET partitioned_write_flush_threshold = {max(1 << 12, (1 << 20) // self.number)}")
        rows = con.sql(
            narrow_rows_sql(dataset, month, valid, self.number), params={**params, **salt_parameters(salt)}
        )
        rows.write_parquet(str(into), partition_by=["bucket"], compression="uncompressed")

    def replace_suspects(
        self,
        con: duckdb.DuckDBPyConnection,
        dataset: Dataset,
        month: Month,
        salt: str,
        suspects: pa.Table,
        valid: str,
    ) -> None:
        """Replace all rows whose lots are in `suspects` by the rows of `valid`."""
        rows = con.sql(narrow_rows_sql(dataset, month, valid, self.number), params=salt_parameters(salt))
        rows.write_parquet(str(_empty_folder(self.folder / "settled")), partition_by=["bucket"])
        pq.write_table(
            suspects, self.folder / "suspects.parquet"
        )  # written last: it makes the replacement take effect

    def files(self, partition: int | None = None) -> tuple[Path, ...]:
        """The files of one partition, or of all, without the replacements of suspects."""
        pattern = f"part-*/bucket={'*' if partition is None else partition}/*.parquet"
        return tuple(sorted(self.folder.glob(pattern)))

    def rows(self) -> int:
        """How many rows were written, from the files' footers."""
        return sum(int(pq.ParquetFile(path).metadata.num_rows) for path in self.files())

    def repeated_lots(self) -> NDArray[np.uint64]:
        """Every upper half of a lot that occurs in more than one row: repeated events, and rare collisions."""
        found = [_repeated_lots(self.files(partition)) for partition in range(self.number)]
        return np.unique(np.concatenate(found))

    def partition_sql(self, partition: int) -> str | None:
        """SQL that selects the rows of one partition; None if it has none."""
        suspects = self.folder / "suspects.parquet"
        rows = _select_all(self.files(partition))
        if rows and suspects.exists():
            rows += f" WHERE lot_upper NOT IN (SELECT lot_upper FROM {_parquet((suspects,))})"
        settled = _select_all(
            tuple(sorted((self.folder / "settled" / f"bucket={partition}").glob("*.parquet")))
        )
        return " UNION ALL BY NAME ".join(filter(None, (rows, settled))) or None


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


def salt_parameters(salt: str) -> dict[str, str]:
    """The parameters that the SQL of `narrow_rows_sql` and `lot_sql` binds."""
    return {"salt": salt, "unit_salt": salt[:32]}


def lot_sql() -> str:
    """SQL for the lot of a row: the salted md5 that orders the rows of a unit, as 32 hexadecimal digits."""
    return "md5(concat($salt, ':', length(unit_id), ':', unit_id, ':', event_id))"


def upper_half_sql(lot: str) -> str:
    """SQL for the first 64 bits of a lot, as a number in the same order as the text."""
    return f"('0x' || left({lot}, 16))::UBIGINT"


def narrow_rows_sql(dataset: Dataset, month: Month, valid: str, partitions: int) -> str:
    """SQL for the narrow rows of the query `valid`, which has the columns of raw events; binds `salt_parameters`."""
    words = ", ".join(f"{sql} AS word_{n}" for n, sql in enumerate(packed_words_sql(dataset, month)))
    values = "".join(f", {quote_name(value.name)}" for value in dataset.values)
    return f"""
    SELECT (unit % {partitions})::UTINYINT AS bucket,
        (unit >> 64)::UBIGINT AS unit_upper, (unit & {_LOW})::UBIGINT AS unit_lower,
        {upper_half_sql("lot")} AS lot_upper, ('0x' || right(lot, 16))::UBIGINT AS lot_lower,
        is_person, {", ".join(f"word_{n}" for n in range(len(packed_words_sql(dataset, month))))}{values}
    FROM (
        SELECT md5_number(concat($unit_salt, ':', unit_id)) AS unit, {lot_sql()} AS lot,
            unit_kind = 'person' AS is_person, {words}{values}
        FROM ({valid})
    )"""


def _select_all(files: tuple[Path, ...]) -> str | None:
    return f"SELECT * FROM {_parquet(files)}" if files else None


def _parquet(files: tuple[Path, ...]) -> str:
    names = ", ".join("'" + escape_glob(path).replace("'", "''") + "'" for path in files)
    return f"read_parquet([{names}], hive_partitioning = false)"


def _repeated_lots(files: tuple[Path, ...]) -> NDArray[np.uint64]:
    read = [pq.ParquetFile(path).read(["lot_upper"])["lot_upper"].to_numpy() for path in files]
    lots: NDArray[np.uint64] = np.sort(np.concatenate([*read, np.empty(0, dtype=np.uint64)]))
    found: NDArray[np.uint64] = lots[1:][lots[1:] == lots[:-1]]
    return found
