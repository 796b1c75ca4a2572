"""A build can be given another engine: what it counts is reserved for, and gets noise, as the counts of the local engine."""

import os
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.pipeline.engine.job import Counted, InputIdentity, RowTotals
from datasets.pipeline.engine.kernel import count_batches, narrow, no_counts
from datasets.pipeline.run import EventsChanged
from datasets.pipeline.state.files import replace_file
from tests.datasets.pipeline.interruptions import PLENTY
from tests.datasets.pipeline.small_deployment import BUSY, SmallDeployment, no_noise
from tests.datasets.pipeline.test_resuming import run_until_exit


@dataclass
class TableEngine:
    """Counts an Arrow table, in batches and three partitions. It reads nothing from the folder of events."""

    rows: dict
    snapshots: list = field(default_factory=lambda: [b"snapshot 7"])
    """The identity at each look; the last one stays."""
    jobs: int = 0

    def identify(self, source):
        return InputIdentity(self.snapshots.pop(0) if len(self.snapshots) > 1 else self.snapshots[0])

    def counted(self, job, salt, source):
        self.jobs += 1
        with duckdb.connect(config={"threads": 1}) as con:
            batches = pa.table(self.rows).to_batches(max_chunksize=100)
            narrowed = pa.concat_tables([batch.rows for batch in narrow(con, job, salt, batches)])
            place = narrowed["unit_lower"].to_numpy() % np.uint64(3)
            total = no_counts(job)
            for partition in range(3):
                of_partition = narrowed.filter(pa.array(place == partition)).to_batches()
                total = total.plus(count_batches(con, job, of_partition))
        totals = RowTotals(read=total.kept, kept=total.kept, quarantined=0)
        return Counted(total.counts, totals, self.identify(source))


def deployment_with_events(folder):
    made = SmallDeployment(folder, PLENTY).put(BUSY)
    made.context.private.mkdir(mode=0o700)
    (made.context.private / "salt").write_text("5a" * 32)  # it decides which rows of a unit count
    return made


@pytest.fixture
def deployment(tmp_path):
    """Its folder of events has their description and no row."""
    made = deployment_with_events(tmp_path / "deployment")
    for path in (made.folder / "events").rglob("*.parquet"):
        path.unlink()
    yield made
    made.ledger.close()


def test_a_build_with_another_engine_publishes_the_cells_of_the_local_engine(tmp_path, deployment):
    local = deployment_with_events(tmp_path / "local").build(noise=no_noise)
    folder = deployment.build(engine=TableEngine(BUSY), noise=no_noise)
    assert pq.read_table(folder / "cells.parquet").equals(pq.read_table(local / "cells.parquet"))
    assert deployment.states == ["reserved", "committed"]


def test_a_table_that_changes_while_another_engine_counts_it_is_refused_and_spends_nothing(deployment):
    changing = TableEngine(BUSY, [b"snapshot 7", b"snapshot 8"])
    with pytest.raises(EventsChanged, match="changed while they were counted"):
        deployment.build(engine=changing)
    assert (deployment.states, deployment.published_files) == ([], [])
    assert deployment.build(engine=changing).name == "2026-06.1"


def test_a_build_that_is_killed_after_another_engine_has_counted_does_not_count_again(deployment):
    def kill_at_reserving(step):
        if step == "reserving":
            os._exit(7)

    run_until_exit(deployment, lambda: deployment.build(engine=TableEngine(BUSY), on_step=kill_at_reserving))
    assert deployment.states == []
    again = TableEngine(BUSY)
    folder = deployment.build(engine=again, noise=no_noise)
    assert again.jobs == 0
    total = pq.read_table(folder / "cells.parquet").to_pylist()[0]
    assert round(total["gardeners"]) == 61


def test_the_counts_of_a_build_are_written_once(tmp_path, monkeypatch):
    written = []

    def replace_and_note(path, content, what):
        written.append(path.name)
        replace_file(path, content, what)

    monkeypatch.setattr("datasets.pipeline.state.checkpoint.replace_file", replace_and_note)
    deployment_with_events(tmp_path / "local").build()
    assert written.count("counts.npz") == 1
