"""The quarantine: rows that do not fit, stored with the reason; private."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from datasets.pipeline.engine.job import RowTotals
from datasets.pipeline.events.layout import TOTALS_FILE

SCHEMA = pa.schema(
    [("reason", pa.string()), ("file", pa.string()), ("row", pa.int64()), ("record", pa.string())],
)
"""`row` counts from 1 within `file`; `record` is the row as JSON text, or the original text if it could not be read."""


def write_totals(totals: RowTotals, folder: Path) -> None:
    """Write `totals.json` into a private folder."""
    counts = {"read": totals.read, "kept": totals.kept, "quarantined": totals.quarantined}
    text = json.dumps({**counts, "reasons": dict(sorted(totals.reasons.items()))}, indent=2)
    (folder / TOTALS_FILE).write_text(text + "\n", encoding="utf-8")


class Quarantine:
    """A Parquet file of rows that do not fit; created with the first row."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / name
        self._writer: pq.ParquetWriter | None = None
        self.reasons: Counter[str] = Counter()

    def add(self, rows: pa.Table | pa.RecordBatch) -> None:
        """Add rows with the columns of SCHEMA."""
        if rows.num_rows == 0:
            return
        if self._writer is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._path, SCHEMA, compression="zstd")
        table = pa.table(rows.select(SCHEMA.names).columns, schema=SCHEMA)
        self._writer.write_table(table)
        self.reasons.update(table["reason"].to_pylist())

    def add_rows(self, rows: Iterable[tuple[str, str, int, str]]) -> None:
        """Add rows given as (reason, file, row, record)."""
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        self.add(
            pa.table(
                [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)], SCHEMA
            )
        )

    @property
    def rows(self) -> int:
        return self.reasons.total()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
