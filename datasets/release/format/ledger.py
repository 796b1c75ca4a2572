"""The published privacy ledger: every entry, so that anybody can check the hash chain and add up the spends.

It holds only what docs/privacy/ledger.md#entries puts into the ledger: plans, spends, and a salted hash of the input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from datasets.privacy.ledger import Caps, Entry, LedgerBroken, ensure_chain, head, rho_by_month
from datasets.release.format import layout
from datasets.release.format.signed import SignedDocument, read_signed
from datasets.release.format.verification import ReleaseDamaged, Verify

_ENTRIES = TypeAdapter(tuple[Entry, ...])


def ledger_document(entries: Sequence[Entry], caps: Caps) -> bytes:
    """The ledger as JSON: the caps, every entry in order, and the head of the chain."""
    document = {
        "caps": {"rho_month": str(caps.month), "rho_year": str(caps.year)},
        "head": head(entries),
        "rho_spent": {str(month): f"{float(rho):.9g}" for month, rho in rho_by_month(entries).items()},
        "entries": [{**asdict(entry), "hash": entry.hash} for entry in entries],
    }
    return json.dumps(document, sort_keys=True, indent=1).encode() + b"\n"


def published_ledger(root: Path, verify: Verify) -> SignedDocument | None:
    """The ledger as of the last publication; None before the first one. Raises ReleaseDamaged."""
    path = layout.ledger_file(root)
    return read_signed(path, verify) if path.exists() or path.is_symlink() else None


def entries_of(ledger: SignedDocument) -> tuple[Entry, ...]:
    """The entries of a published ledger, whose hash chain is checked. Raises ReleaseDamaged."""
    try:
        document: dict[str, Any] = json.loads(ledger.text)
        bare = [{name: each[name] for name in each if name != "hash"} for each in document["entries"]]
        entries = _ENTRIES.validate_python(bare)
        caps = Caps(Fraction(document["caps"]["rho_month"]), Fraction(document["caps"]["rho_year"]))
        ensure_chain(entries, caps)
    except (ValueError, KeyError, TypeError, LedgerBroken) as error:
        raise ReleaseDamaged("the published ledger is not what it should be") from error
    return entries
