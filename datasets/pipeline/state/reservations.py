"""The list of reservations made from this private folder: only these may be declared void from here.

Builders on several hosts may share a ledger. Only the private folder of a host shows whether a build of that host can be
resumed (docs/decisions/0010).
"""

from __future__ import annotations

from pathlib import Path

from datasets.pipeline.state.files import replace_file
from datasets.privacy.ledger import Entry

_FILE_NAME = "reservations"


def record_own_reservation(private: Path, entry: Entry) -> None:
    """Record that a reservation belongs to this private folder. Called before the reservation is appended to the ledger."""
    made = own_reservations(private)
    if entry.hash not in made:
        content = "".join(f"{each}\n" for each in sorted({*made, entry.hash}))
        replace_file(private / _FILE_NAME, content.encode(), "reservations")


def own_reservations(private: Path) -> frozenset[str]:
    """The hashes of the reservations in the ledger that were made from this private folder."""
    path = private / _FILE_NAME
    return frozenset(path.read_text().split()) if path.exists() else frozenset()
