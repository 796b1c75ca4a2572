"""Numbers for rows that say the same, in sources without event ids: their ids are made of their contents, so they are equal.

Rows with equal ids would count once. So the second of them gets the number 2, and so on. They say the same in all columns
of which ids are made, so it does not matter which gets which number, and no row of another unit has a part in it
(docs/privacy/bounding.md#stability).
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from datasets.pipeline.engine.duckdb import connect
from datasets.pipeline.events.parts import escape_glob

_BATCH = 1 << 16
_ID = "event_id"


def number_equal_rows(folder: Path) -> None:
    """Change the ids of the second and further rows with one id in the Parquet files of a folder that is being written."""
    for path, ids in _new_ids(folder).items():
        fresh = path.with_suffix(".numbered")
        _rewrite(path, fresh, ids)
        fresh.replace(path)


def _new_ids(folder: Path) -> dict[Path, dict[int, str]]:
    """The rows to change, by file and position from 0, with their new ids."""
    files = [escape_glob(path) for path in sorted(folder.glob("*.parquet"))]
    found: dict[Path, dict[int, str]] = defaultdict(dict)
    with closing(connect(folder.parent)) as con:
        repeated = "SELECT event_id FROM read_parquet($files) GROUP BY event_id HAVING count(*) > 1"
        numbered = (
            "SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY filename, file_row_number) AS number "
            "FROM read_parquet($files, filename = true, file_row_number = true) "
            f"WHERE event_id IN ({repeated})"
        )
        rows = con.execute(
            f"SELECT filename, file_row_number, event_id || '-' || number FROM ({numbered}) WHERE number > 1",
            {"files": files},
        ).fetchall()
    for path, row, new in rows if files else ():
        found[Path(path)][int(row)] = str(new)
    return found


def _rewrite(path: Path, fresh: Path, ids: dict[int, str]) -> None:
    passed = 0
    with (
        pq.ParquetFile(path) as file,
        pq.ParquetWriter(fresh, file.schema_arrow, compression="zstd") as writer,
    ):
        for batch in file.iter_batches(_BATCH):
            table = pa.Table.from_batches([batch])
            column = [ids.get(passed + n, old) for n, old in enumerate(table[_ID].to_pylist())]
            place = table.schema.get_field_index(_ID)
            writer.write_table(
                table.set_column(place, table.schema.field(_ID), pa.array(column, pa.string()))
            )
            passed += batch.num_rows
