"""The build: raw events of one month in, a signed release out, its privacy spend in the ledger.

The order is what makes it safe. Rows are validated and set aside; the spend is reserved before any row can reach a
number that leaves; only noisy tables leave the counting; the release appears whole or not at all; then the spend is
committed. Whatever fails in between wastes budget and leaks nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from datasets.build.bounding import bounded
from datasets.build.budget import Budget, budget_of
from datasets.build.chance import discrete_gaussian_noise
from datasets.build.events.layout import event_files, month_folder
from datasets.build.events.source import Source, read_source
from datasets.build.events.validation import validate
from datasets.build.ledger_store import LedgerStore
from datasets.build.manifest import manifest_of
from datasets.build.noisy import NoisyCells, noisy_cells
from datasets.build.provenance import input_hash, salt
from datasets.build.publication import only_builder, point, staged
from datasets.build.seal import Seal
from datasets.build.writer import write_cells
from datasets.definition import Dataset
from datasets.period import Month
from datasets.privacy.ledger import Entry
from datasets.privacy.residuals import Noise


@dataclass(frozen=True)
class Workshop:
    """What a build works with: where things are, who signs, and what tells the time and the progress."""

    releases: Path
    private: Path
    ledger: LedgerStore
    seal: Seal
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    said: Callable[[str], None] = lambda _: None


def build_release(
    dataset: Dataset, month: Month, events: Path, workshop: Workshop, *, correction: str = "",
    noise: Noise = discrete_gaussian_noise,
) -> Path:  # fmt: skip
    """Build and publish the release of a month from the events under `events`; gives its folder.

    `correction` says why a month that was released already is released again, as its next revision. Raises Refusal
    where the events cannot be read, the budget is spent, or another build is under way; nothing is then published.
    """
    folder = month_folder(events, dataset, month)
    budget = budget_of(dataset, month)
    with only_builder(workshop.private), closing(duckdb.connect(config={"threads": 2})) as con:
        source = read_source(folder, dataset)
        files = event_files(folder)
        workshop.said("validating")
        validate(con, dataset, month, folder, workshop.private / "quarantine" / dataset.name / str(month))
        workshop.said("reserving")
        reserved = workshop.ledger.reserve(budget.spend(), now=workshop.now(), reason=correction)
        try:
            key = salt(workshop.private)
            cells = noisy_cells(budget, bounded(con, dataset, month, key), noise, workshop.said)
            published = _publish(budget, cells, source, workshop, reserved)
        except BaseException as error:
            workshop.ledger.void(reserved, now=workshop.now(), reason=type(error).__name__)
            raise
        workshop.ledger.commit(
            reserved,
            now=workshop.now(),
            input_hash=input_hash(files, key),
            release=published.name,
            artefact_hash=hashlib.sha256((published / MANIFEST_FILE).read_bytes()).hexdigest(),
        )
        return published
