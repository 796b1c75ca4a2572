"""Buckets: the valid events of a month as narrow rows in private files, all rows of a privacy unit in one of them.

A bucket is bounded by itself, so memory holds one bucket and not the month. A narrow row has no text: md5 of the salted
unit and of the salted event stand for their identifiers (128 bits each: two units fall together with a chance below 2^-70
in 10^8, and nobody can look for such a pair without the salt), codes are packed into words, values stay as they are.
Which bucket a unit falls into has no say in what its rows count for.
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
"""About how many rows a bucket holds; each takes some 40 bytes on disk, and bounding a few hundred MiB."""

_MOST_PARTITIONS = 64
_LOW = (1 << 64) - 1

Params = Mapping[str, object]


@dataclass(frozen=True)
class Partitions:
    """So many buckets under `folder`: of each part of the input `<part>/bucket=<n>/*.parquet`.

    The rows whose `lot_upper` is listed in `suspects.parquet`, where there is one, are replaced by those in `settled`.
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
        """From now on have the rows of `valid` in place of all those whose lots are `suspects`."""
        rows = con.sql(narrow_rows_sql(dataset, month, valid, self.number), params=salt_parameters(salt))
        rows.write_parquet(str(_empty_folder(self.folder / "settled")), partition_by=["bucket"])
        pq.write_table(
            suspects, self.folder / "suspects.parquet"
        )  # the last of the two: it is what makes both hold

    def files(self, bucket: int | None = None) -> tuple[Path, ...]:
        """The files of one bucket, or of all; those that suspects were settled in excepted."""
        pattern = f"part-*/bucket={'*' if bucket is None else bucket}/*.parquet"
        return tuple(sorted(self.folder.glob(pattern)))

    def rows(self) -> int:
        """How many rows were written, from the files' footers."""
        return sum(int(pq.ParquetFile(path).metadata.num_rows) for path in self.files())

    def repeated_lots(self) -> NDArray[np.uint64]:
        """Every upper half of a lot that stands in more than one row: repeated events, and the odd coincidence."""
        found = [_repeated_lots(self.files(bucket)) for bucket in range(self.number)]
        return np.unique(np.concatenate(found))

    def partition_sql(self, bucket: int) -> str | None:
        """The rows of one bucket, as an SQL query; None where it has none."""
        suspects = self.folder / "suspects.parquet"
        rows = _select_all(self.files(bucket))
        if rows and suspects.exists():
            rows += f" WHERE lot_upper NOT IN (SELECT lot_upper FROM {_parquet((suspects,))})"
        settled = _select_all(tuple(sorted((self.folder / "settled" / f"bucket={bucket}").glob("*.parquet"))))
        return " UNION ALL BY NAME ".join(filter(None, (rows, settled))) or None


def _empty_folder(folder: Path) -> Path:
    """A folder with nothing in it: what a build that died has left would count beside what is written now.

    DuckDB's `overwrite` replaces files of the same names and leaves the others.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def partitions_for(folder: Path, rows: int) -> Partitions:
    """As many buckets as so many rows need."""
    return Partitions(folder, min(_MOST_PARTITIONS, 1 + rows // ROWS_PER_PARTITION))


def salt_parameters(salt: str) -> dict[str, str]:
    """The parameters that the SQL of `narrow_sql` and `lot_upper_sql` binds."""
    return {"salt": salt, "unit_salt": salt[:32]}


def lot_sql() -> str:
    """The salted md5 that orders the rows of a unit, as text of 32 hexadecimal digits."""
    return "md5(concat($salt, ':', length(unit_id), ':', unit_id, ':', event_id))"


def upper_half_sql(lot: str) -> str:
    """The first 64 bits of a lot, as a number that sorts as its text does."""
    return f"('0x' || left({lot}, 16))::UBIGINT"


def narrow_rows_sql(dataset: Dataset, month: Month, valid: str, buckets: int) -> str:
    """The narrow row of each row of the query `valid`, which has the columns of raw events; binds `salted`."""
    words = ", ".join(f"{sql} AS word_{n}" for n, sql in enumerate(packed_words_sql(dataset, month)))
    values = "".join(f", {quote_name(value.name)}" for value in dataset.values)
    return f"""
    SELECT (unit % {buckets})::UTINYINT AS bucket,
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
