"""The published privacy ledger: every entry, so that anybody can check the hash chain and add up the spends.

It holds only what docs/privacy/ledger.md#entries puts into the ledger: plans, spends, and a salted hash of the input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from datasets.period import Month
from datasets.privacy.ledger import (
    ORGANISATION_EVENT,
    Caps,
    Entry,
    LedgerBroken,
    canonical_members,
    ensure_chain,
    head,
    rho_by_month,
)
from datasets.release.format import layout
from datasets.release.format.signed import SignedDocument, read_signed
from datasets.release.format.verification import ReleaseDamaged, Verify

_ENTRIES = TypeAdapter(tuple[Entry, ...])
_CAPS = {
    "rho_month": "month",
    "rho_year": "year",
    "organisation_rho_month": "organisation_month",
    "organisation_rho_year": "organisation_year",
}
"""The names of the caps in the document, and those of `Caps`. Version 0.1.0 wrote the first two only."""


def ledger_document(entries: Sequence[Entry], caps: Caps) -> bytes:
    """The ledger as JSON: the caps, every entry in order, the head of the chain, and the rho spent by data month.

    An entry has the members that are hashed, and its hash: one of version 0.1.0 is written as that version wrote it.
    """
    document = {
        "caps": {name: str(getattr(caps, cap)) for name, cap in _CAPS.items()},
        "head": head(entries),
        "rho_spent": _rho_texts(rho_by_month(entries)),
        "rho_spent_on_organisation_events": _rho_texts(rho_by_month(entries, ORGANISATION_EVENT)),
        "entries": [_published_members(entry) for entry in entries],
    }
    return json.dumps(document, sort_keys=True, indent=1).encode() + b"\n"


def _published_members(entry: Entry) -> dict[str, Any]:
    return {**canonical_members(entry), "hash": entry.hash}


def _rho_texts(months: dict[Month, Fraction]) -> dict[str, str]:
    return {str(month): f"{float(rho):.9g}" for month, rho in months.items() if rho}


def published_ledger(root: Path, verify: Verify) -> SignedDocument | None:
    """The ledger as of the last publication; None before the first one. Raises ReleaseDamaged."""
    path = layout.ledger_file(root)
    return read_signed(path, verify) if path.exists() or path.is_symlink() else None


def entries_of(ledger: SignedDocument) -> tuple[Entry, ...]:
    """The entries of a published ledger, whose hash chain, hashes and head are checked. Raises ReleaseDamaged."""
    try:
        document: dict[str, Any] = json.loads(ledger.text)
        listed = document["entries"]
        entries = _ENTRIES.validate_python(
            [{"unit_class" if name == "class" else name: each[name] for name in each} for each in listed]
        )
        ensure_chain(entries, _caps_of(document["caps"]))
        if listed != [_published_members(entry) for entry in entries] or document["head"] != head(entries):
            raise LedgerBroken("the published ledger has members that its hashes do not cover")
    except (ValueError, KeyError, TypeError, LedgerBroken) as error:
        raise ReleaseDamaged("the published ledger is not what it should be") from error
    return entries


def _caps_of(stated: dict[str, str]) -> Caps:
    return Caps(**{_CAPS[name]: Fraction(value) for name, value in stated.items()})
