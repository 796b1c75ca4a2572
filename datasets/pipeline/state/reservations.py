"""Which reservations this private folder has made: what is written here may be declared void here, and nothing else.

Builders on several hosts may share a ledger. Whether a build of another host can be gone on with, only its private
folder knows (docs/decisions/0010).
"""

from __future__ import annotations

from pathlib import Path

from datasets.pipeline.state.files import replace_file
from datasets.privacy.ledger import Entry

_FILE_NAME = "reservations"


def record_own_reservation(private: Path, entry: Entry) -> None:
    """Write down, before it is appended to the ledger, that a reservation is this folder's own."""
    made = own_reservations(private)
    if entry.hash not in made:
        content = "".join(f"{each}\n" for each in sorted({*made, entry.hash}))
        replace_file(private / _FILE_NAME, content.encode(), "reservations")


def own_reservations(private: Path) -> frozenset[str]:
    """The hashes of the ledger entries that reserved a spend for a build in this private folder."""
    path = private / _FILE_NAME
    return frozenset(path.read_text().split()) if path.exists() else frozenset()
