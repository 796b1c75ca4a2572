"""The check of releases against the published ledger: each release's spend is in it, and it only ever grows."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from datasets.privacy.ledger import Entry
from datasets.refusal import Refusal
from datasets.release.format import layout
from datasets.release.format.ledger import entries_of, published_ledger
from datasets.release.format.manifest import Manifest
from datasets.release.format.verification import ReleaseDamaged, Verify

log = logging.getLogger("daylight.release")


@dataclass
class LedgerCheck:
    """The longest ledger that this process has seen next to the releases; `problem` says what is wrong with it now.

    If there is no ledger, the releases were copied without it, and there is nothing to check.
    """

    directory: Path
    verify: Verify
    problem: str = ""
    _entries: tuple[Entry, ...] = ()
    _file_state: object = None

    def reload(self) -> bool:
        """Read the ledger again if its file has changed. Returns whether it had."""
        file_state = layout.file_state(layout.ledger_file(self.directory))
        if file_state == self._file_state:
            return False
        self._file_state = file_state
        try:
            document = published_ledger(self.directory, self.verify)
            entries = entries_of(document) if document else ()
            if entries[: len(self._entries)] != self._entries:
                raise ReleaseDamaged(
                    f"the published ledger was set back or cut: it was seen with {len(self._entries)} entries, of which "
                    "it now lacks some or has others"
                )
            self._entries, self.problem = entries, ""
        except (Refusal, OSError) as error:
            self.problem = (
                error.sentence if isinstance(error, Refusal) else "the published ledger cannot be read"
            )
            log.warning("%s", self.problem)
        return True

    def ensure_contains(self, manifest: Manifest) -> None:
        """Raises ReleaseDamaged if there is a ledger and it lacks the spend that a release was made from."""
        seq, head = manifest.ledger.seq, manifest.ledger.head
        if self._entries and not (seq <= len(self._entries) and self._entries[seq - 1].hash == head):
            raise ReleaseDamaged(
                f"release {manifest.release}: was made from ledger entry {seq}, which the published ledger does not hold"
            )
