"""Raw events in Parquet, and what validation makes of them."""

import hashlib
import json
import shutil
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.pipeline.engine.job import CountJob
from datasets.pipeline.engine.packing import packing_for
from datasets.pipeline.engine.repeats import settled_rows
from datasets.pipeline.events.local_engine import LocalEngine, UnsavedProgress
from datasets.pipeline.events.source import EventSource
from tests.datasets.pipeline.small_dataset import JUNE, PLANT, STATE, small_dataset
from tests.datasets.pipeline.small_deployment import narrow_partitions

HARVEST = small_dataset()
SALT = "5a" * 32
SOURCE = EventSource(format="table", schema="crates", unit="The gardener.")


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
    remarks: list


def recognised(con, partitions, files):
    """The rows in the partitions by event id, with the unit and event that their hashes stand for."""
    named = {}
    for rows in files:
        for row in rows.to_pylist() if isinstance(rows, pa.Table) else rows:
            unit, event = str(row["unit_id"]), str(row["event_id"])
            lot = hashlib.md5(f"{SALT}:{len(unit)}:{unit}:{event}".encode()).hexdigest()
            named[int(lot[:16], 16), int(lot[16:], 16)] = {"unit_id": unit, "event_id": event}
    found = []
    for partition in partitions:
        with settled_rows(con, HARVEST, JUNE, partition) as settled:
            rows = con.sql(settled.sql).to_arrow_table().to_pylist()
        for row in rows:
            plant, state, day = packing_for(HARVEST, JUNE).codes([np.array([row["word_0"]], dtype=np.uint64)])
            found.append(
                {
                    **named[row["lot_upper"], row["lot_lower"]], "plant": PLANT.codes[plant[0]].code,
                    "state": STATE.codes[state[0]].code, "day": int(day[0]), "sold": row["sold"], "cents": row["cents"],
                }
            )  # fmt: skip
    return sorted(found, key=lambda row: (row["event_id"], row["unit_id"]))


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
        job = CountJob(HARVEST, JUNE, {})
        for name in ("counting", "again"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)
        remarks: list[str] = []
        engine = LocalEngine(aside, UnsavedProgress(tmp_path / "counting"), on_remark=remarks.append)
        engine.counted(job, SALT, folder)
        with duckdb.connect() as con:
            valid = recognised(con, narrow_partitions(con, job, folder, tmp_path / "again", SALT), files)
        bad = aside / "events.parquet"
        return Found(
            valid,
            pq.read_table(bad).to_pylist() if bad.exists() else [],
            json.loads((aside / "totals.json").read_text()),
            remarks,
        )

    return run
