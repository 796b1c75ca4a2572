"""What a build works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner

STEPS = ("validating", "reserving", "bounding and counting", "adding noise", "writing", "publishing")
"""The steps of a build, in order, as `on_step` is told them."""
VALIDATING, RESERVING, COUNTING, ADDING_NOISE, WRITING, PUBLISHING = STEPS


@dataclass(frozen=True)
class BuildContext:
    """What a build works with: where things are, who signs, what tells the time, and whom to tell of progress.

    `said` is told the name of a step, which anybody may read. `passed` is told how many rows of how many a step has
    dealt with: exact numbers, which are protected (PRIVACY.md, section 11), so it may lead to the screen of whoever builds
    and nowhere else.
    """

    releases: Path
    private: Path
    ledger: LedgerStore
    signer: ReleaseSigner
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    on_step: Callable[[str], None] = lambda _: None
    on_progress: Callable[[int, int], None] = lambda rows, of: None

    def quarantine_folder(self, dataset: Dataset, month: Month) -> Path:
        """Where the rows that do not fit are put, with their reasons and totals: private."""
        return self.private / "quarantine" / dataset.name / str(month)
