"""Raw events in Parquet, and what validation makes of them."""

import json
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.build.events.source import Source
from datasets.build.events.validation import validate
from tests.datasets.build.small import JUNE, small_dataset

HARVEST = small_dataset()
SOURCE = Source(format="table", schema="crates", unit="The gardener.")


def crate(number=1, **changes):
    return {
        "event_id": f"e{number}", "unit_id": "u1", "unit_kind": "person", "occurred_at": "2026-06-05 10:00:00",
        "plant": "apple", "state": "DE", "sold": "true", "cents": "50", **changes,
    }  # fmt: skip


@dataclass
class Found:
    valid: list
    bad: list
    totals: dict
    remarks: tuple


@pytest.fixture
def check(tmp_path):
    """Validate rows (dicts, or an Arrow table, or several of them: one file each)."""

    def run(*files, write=True):
        folder, aside = tmp_path / "events", tmp_path / "quarantine"
        if write:
            folder.mkdir(exist_ok=True)
            SOURCE.write(folder)
            for number, rows in enumerate(files):
                table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
                pq.write_table(table, folder / f"part-{number:05d}.parquet")
        with duckdb.connect() as con:
            found = validate(con, HARVEST, JUNE, folder, aside)
            valid = con.sql("SELECT * FROM valid_events ORDER BY event_id").to_arrow_table().to_pylist()
        bad = aside / "events.parquet"
        return Found(
            valid,
            pq.read_table(bad).to_pylist() if bad.exists() else [],
            json.loads((aside / "totals.json").read_text()),
            found.remarks,
        )

    run.folder = tmp_path / "events"
    return run
