"""A deployment that builds small releases: crates of fruit as raw events, a ledger, and a signature without a key."""

import json
from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.pipeline.engine.bounding import bound_rows
from datasets.pipeline.engine.job import CountJob
from datasets.pipeline.engine.repeats import settled_rows
from datasets.pipeline.events.layout import month_folder
from datasets.pipeline.events.local_engine import LocalEngine, UnsavedProgress
from datasets.pipeline.events.partitions import partitions_for
from datasets.pipeline.events.source import EventSource
from datasets.pipeline.events.validation import open_month
from datasets.pipeline.run import build_release
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner
from datasets.privacy.ledger import Caps
from tests.datasets.pipeline.small_dataset import JUNE as JUNE
from tests.datasets.pipeline.small_dataset import PLANT, STATE, small_dataset
from tests.datasets.release.small_release import sign, verify

HARVEST = small_dataset(Fraction(1, 5))
PLANTS = [code.code for code in PLANT.codes]
STATES = [code.code for code in STATE.codes]


def no_noise(scales):
    """Zeros instead of noise, so that the release has exact counts."""
    return np.zeros(scales.shape, dtype=np.int64)


def crates(rows, units, *, kind="person", seed=1, first=0):
    """`rows` events of `units` gardeners, at random; columns as lists. Every gardener has at least one."""
    draw = np.random.default_rng(seed)
    unit = np.concatenate([np.arange(units), draw.integers(0, units, rows - units)])
    return {
        "event_id": [f"e{first + n}" for n in range(rows)],
        "unit_id": [f"u{first + n}" for n in unit],
        "unit_kind": [kind] * rows,
        "occurred_at": [
            datetime(2026, 6, 1) + timedelta(minutes=int(m)) for m in draw.integers(0, 43_200, rows)
        ],
        "plant": [PLANTS[n] for n in draw.integers(0, len(PLANTS), rows)],
        "state": [STATES[n] for n in draw.integers(0, len(STATES), rows)],
        "sold": [bool(n) for n in draw.integers(0, 2, rows)],
        "cents": [int(n) for n in draw.integers(0, 200, rows)],
    }


def concatenate(*several):
    return {name: [value for columns in several for value in columns[name]] for name in several[0]}


def narrow_partitions(con, job, folder, private, salt="salt"):
    """The partitions of the raw events in a folder, each as SQL, as the local engine writes them."""
    engine = LocalEngine(private / "quarantine", UnsavedProgress(private / "counting"))
    events = open_month(job, folder)
    partitions = partitions_for(engine.progress.partitions, events.read)
    engine.write_partitions(con, events, partitions, salt)
    return [rows for n in range(partitions.number) if (rows := partitions.rows_sql(n)) is not None]


def bounded_rows(con, dataset, month, folder, private, salt="salt"):
    """The contributions of the raw events in a folder, in batches, validated, settled and bounded as in a build."""
    for rows in narrow_partitions(con, CountJob(dataset, month, {}), folder, private, salt):
        with settled_rows(con, dataset, month, rows) as settled:
            yield from bound_rows(con, dataset, month, settled.sql)


class SmallDeployment:
    """One deployment in a folder: `put` events there, `build` a release of June."""

    def __init__(self, folder, caps=None, dataset=HARVEST, ledger=""):
        self.folder, self.dataset = folder, dataset
        self.steps: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        ledger = ledger or f"sqlite:///{folder / 'ledger.sqlite'}"
        self.ledger = LedgerStore(ledger, caps or Caps(month=Fraction(1, 2)))
        self.context = self.make_context(self.steps.append)

    def make_context(self, on_step):
        return BuildContext(
            self.folder / "releases",
            self.folder / "private",
            self.ledger,
            ReleaseSigner(sign, verify),
            on_step=on_step,
        )

    def put(self, columns, month=JUNE):
        folder = month_folder(self.folder / "events", self.dataset, month)
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), folder / "part-00000.parquet")
        EventSource(format="table", schema="crates", unit="The gardener.").write(folder)
        return self

    def build(self, *, on_step=None, month=JUNE, **options):
        context = self.context if on_step is None else self.make_context(on_step)
        return build_release(self.dataset, month, self.folder / "events", context, **options)

    @property
    def published_files(self):
        """Every file under the release directory, staging and pointers included."""
        root = self.folder / "releases"
        return (
            sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
            if root.exists()
            else []
        )

    @property
    def states(self):
        return [entry.state for entry in self.ledger.entries()]

    def spent_nano_rho(self):
        return sum(entry.nano_rho for entry in self.ledger.entries() if entry.state == "reserved")


BUSY = concatenate(crates(400, 60), crates(200, 1, seed=2, first=10_000))


def read_manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def read_cells(folder):
    return pq.read_table(folder / "cells.parquet")
