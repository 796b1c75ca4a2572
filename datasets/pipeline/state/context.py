"""BuildContext: the folders, ledger, signer, clock and callbacks that a build works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner

STEPS = ("validating", "bounding and counting", "reserving", "adding noise", "writing", "publishing")
"""The steps of a build, in order, as they are passed to `on_step`."""
VALIDATING, COUNTING, RESERVING, ADDING_NOISE, WRITING, PUBLISHING = STEPS


@dataclass(frozen=True)
class BuildContext:
    """What a build works with: folders, the ledger, the signer, the clock, and callbacks for progress.

    `on_step` is called with the name of each step, which is public. `on_progress` is called with the number of rows that a
    step has processed and the number of all rows. These are exact numbers, which are protected
    (docs/privacy/not-published.md#exact-numbers), so they may only be shown on the terminal of the person who runs the build.
    """

    releases: Path
    private: Path
    ledger: LedgerStore
    signer: ReleaseSigner
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    on_step: Callable[[str], None] = lambda _: None
    on_progress: Callable[[int, int], None] = lambda rows, of: None

    def quarantine_folder(self, dataset: Dataset, month: Month) -> Path:
        """The private folder for rows that failed validation, with their reasons and totals."""
        return self.private / "quarantine" / dataset.name / str(month)
