"""Small releases, release_root from random tables with the real plan, noise shape, writer and manifest."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.random import default_rng

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.events.source import EventSource
from datasets.pipeline.measurement.noise import NoisyCells, restore_middle
from datasets.pipeline.output.cells import write_cells
from datasets.pipeline.output.manifest import make_manifest
from datasets.pipeline.output.publication import write_pointer
from datasets.pipeline.planning.budget import plan_budget
from datasets.privacy.ledger import Caps, Entry
from datasets.privacy.plan import Plan
from datasets.privacy.residuals import ExactTable, measure, reconstruct
from datasets.release.format import layout
from datasets.release.format.cells import cells_schema
from datasets.release.format.codebook import codebook_of
from datasets.release.format.manifest import FileEntry
from tests.datasets.pipeline.small_dataset import JUNE, small_dataset

HARVEST = small_dataset()
GARDEN = EventSource(format="table", schema="crates, as the garden counts them", unit="The gardener.")


def sign(text: bytes) -> str:
    """A signature for tests: it needs no key, but differs between texts."""
    return "signed " + hashlib.sha256(text).hexdigest()


def verify(text: bytes, signature: str) -> None:
    if signature != sign(text):
        raise ValueError("the signature does not fit")


def write_release(  # noqa: PLR0913  each argument has a default
    root: Path,
    dataset: Dataset = HARVEST,
    month: Month = JUNE,
    *,
    revision: int = 1,
    seed: int = 1,
    source: EventSource = GARDEN,
    current: bool = True,
) -> Path:
    """Write a release of random counts with statistical noise, and make it current. Returns its folder."""
    budget, draw = plan_budget(dataset, month), default_rng(seed)

    def noise(scales: np.ndarray) -> np.ndarray:
        return np.rint(draw.normal(0.0, scales)).astype(np.int64)

    def tables(plan: Plan, mean: float) -> dict:
        exact = draw.poisson(mean, [axis.size(axis.depth) for axis in plan.axes]) * plan.grain
        residuals = measure(plan, {b: ExactTable(rolled_up(plan, exact, b)) for b in plan.rho_of}, noise)
        return {cuboid: reconstruct(plan, residuals, cuboid) for cuboid in plan.workload}

    measured = {name: tables(plan, 20.0) for name, plan in budget.measures.items()}
    wide = {name: tables(plan, 25.0) for name, plan in budget.diagnostics.items()}
    cells = NoisyCells({name: restore_middle(budget, measured, name) for name in measured}, wide)
    return _write_files(root, budget, cells, revision, source, current)


def rolled_up(plan: Plan, leaves: np.ndarray, cuboid: tuple[int, ...]) -> np.ndarray:
    for at, (axis, level) in enumerate(zip(plan.axes, cuboid, strict=True)):
        leaves = axis.add_up(leaves, at, axis.depth, level)
    return leaves


def _write_files(root, budget, cells, revision, source, current) -> Path:
    dataset, month = budget.dataset, budget.month
    folder = layout.release_folder(root, dataset.name, layout.release_name(month, revision))
    folder.mkdir(parents=True)
    codebook = codebook_of(dataset, month)
    rows = write_cells(folder / layout.CELLS, cells_schema(codebook), budget, cells)
    (folder / layout.CODEBOOK).write_text(codebook.text(), encoding="utf-8")
    files = (file_entry(folder / layout.CELLS, rows), file_entry(folder / layout.CODEBOOK, None))
    manifest = make_manifest(
        budget, cells, source, revision=revision, previous=None, published=datetime(2026, 7, 1, tzinfo=UTC),
        reserved=_entry(dataset, month), caps=Caps(), files=files,
    )  # fmt: skip
    write_signed_manifest(folder, manifest.canonical())
    if current:
        write_pointer(layout.pointer_file(root, dataset.name, month), folder.name)
    return folder


def write_signed_manifest(folder: Path, manifest: bytes) -> None:
    """Write a manifest into a release, with a valid signature."""
    (folder / layout.MANIFEST).write_bytes(manifest)
    (folder / layout.SIGNATURE).write_text(sign(manifest) + "\n")


def file_entry(path: Path, rows: int | None) -> FileEntry:
    return FileEntry(name=path.name, rows=rows, bytes=path.stat().st_size, sha256=layout.sha256_of(path))


def _entry(dataset: Dataset, month: Month) -> Entry:
    return Entry(
        seq=1, previous="0" * 64, time="2026-07-01T00:00:00+00:00", state="reserved", of=None, dataset=dataset.name,
        month=str(month), unit="person", rows_per_unit="", nano_rho=1, plan_hash="0" * 64,
    )  # fmt: skip
