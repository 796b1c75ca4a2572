"""The published ledger as an anchor: each release's spend must stand in it, and it may grow but never shrink."""

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
    """The ledger beside the releases, as far as this process has ever seen it grow; `trouble` says what is wrong with it now.

    A folder without a ledger was copied without it: then there is nothing to hold a release against.
    """

    directory: Path
    verify: Verify
    problem: str = ""
    _entries: tuple[Entry, ...] = ()
    _traces: object = None

    def reload(self) -> bool:
        """Read the ledger again, where its file has changed; gives whether it had."""
        traces = layout.file_state(layout.ledger_file(self.directory))
        if traces == self._traces:
            return False
        self._traces = traces
        try:
            found = published_ledger(self.directory, self.verify)
            entries = entries_of(found) if found else ()
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
        """Raises ReleaseDamaged where the ledger is there and knows nothing of the spend that a release was made from."""
        seq, head = manifest.ledger.seq, manifest.ledger.head
        if self._entries and not (seq <= len(self._entries) and self._entries[seq - 1].hash == head):
            raise ReleaseDamaged(
                f"release {manifest.release}: was made from ledger entry {seq}, which the published ledger does not hold"
            )
