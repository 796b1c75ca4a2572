"""The audit: every act, in the transaction of the act, chained by hashes, its head signed.

An edit, a deletion, an insertion or a reordering breaks the chain where it happened. A tail that was cut
leaves the signed head behind; a tail cut together with the head leaves the witness behind: a file of the
host that acted, outside the database, with the last event that it saw committed.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jose.backends.base import Key
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.crypto.jws import sign_detached, verify_detached
from auth.crypto.keys import Signer, sync_directory
from auth.db.models import AuditEvent, AuditHead
from auth.errors import ChainBroken, SignatureRefused

GENESIS = "0" * 64
"""What the first event follows."""

FindKey = Callable[[str], Key | None]


@dataclass(frozen=True)
class Mandate:
    """On whose hand and for what reason something is done, and when (UTC)."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Position:
    """An event of the chain by its number, counted from 1, and its hash."""

    seq: int
    hash: str


def canonical_json(value: Mapping[str, object]) -> str:
    """The one way in which a value is written to be hashed or signed: JSON, sorted, without spaces.

    >>> canonical_json({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def hashed_fields(event: AuditEvent) -> dict[str, object]:
    """Everything an event says and is hashed over, the hash before it included. `details` stays the text that was hashed."""
    return {
        "seq": event.seq,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor,
        "act": event.act,
        "subject": event.subject,
        "reason": event.reason,
        "details": event.details,
        "previous": event.previous,
    }


def event_hash(event: AuditEvent) -> str:
    """SHA-256 over everything the event says."""
    return hashlib.sha256(canonical_json(hashed_fields(event)).encode("utf-8")).hexdigest()


def append_event(
    session: Session,
    mandate: Mandate,
    signer: Signer,
    act: str,
    subject: str,
    details: Mapping[str, object],
) -> Position:
    """Adds an event at the end and signs it as the new head, inside the caller's write transaction.

    Call `ensure_untouched` first in the same transaction: signing must not cover up what was done before.
    `details` holds identifiers, never names or addresses: the audit cannot forget.
    """
    head = session.get(AuditHead, 1) or AuditHead(id=1, seq=0, hash=GENESIS)
    event = AuditEvent(
        seq=head.seq + 1,
        at=mandate.at,
        actor=mandate.by,
        act=act,
        subject=subject,
        reason=mandate.reason,
        details=canonical_json(details),
        previous=head.hash,
    )
    event.hash = event_hash(event)
    head.seq, head.hash = event.seq, event.hash
    head.signature = sign_detached(head_bytes(event.seq, event.hash), signer, "audit")
    session.add_all((event, head))
    session.flush()
    return Position(event.seq, event.hash)


def ensure_untouched(session: Session, key_of: FindKey, witness: Position | None) -> None:
    """Raises ChainBroken where the end of the chain is not what was last signed, or last seen here."""
    head = session.get(AuditHead, 1)
    last = session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc()).limit(1)).first()
    ensure_head(head, Position(last.seq, last.hash) if last else Position(0, GENESIS), key_of)
    if witness is not None and witness.seq > 0:
        seen = session.get(AuditEvent, witness.seq)
        ensure_witness(witness, seen.hash if seen else None, last.seq if last else 0)


def ensure_head(head: AuditHead | None, last: Position, key_of: FindKey) -> None:
    """Raises ChainBroken unless the head is signed and is the last event."""
    if head is None:
        if last.seq:
            raise ChainBroken(
                last.seq, f"audit: {last.seq} event(s) stand without a signed head; it was deleted."
            )
        return
    try:
        verify_detached(head_bytes(head.seq, head.hash), head.signature, "audit", key_of)
    except SignatureRefused:
        raise ChainBroken(
            head.seq,
            f"audit: the head at event {head.seq} was not signed by this registry; it was rewritten.",
        ) from None
    if last.seq < head.seq:
        raise ChainBroken(
            last.seq + 1,
            f"audit: the chain ends at event {last.seq}, its signed head is event {head.seq}; "
            f"the tail from event {last.seq + 1} on was cut.",
        )
    if last.seq > head.seq:
        raise ChainBroken(
            head.seq + 1, f"audit: event {head.seq + 1} stands after the signed head; it was inserted."
        )
    if last.hash != head.hash:
        raise ChainBroken(
            last.seq, f"audit: event {last.seq} is not the one that was signed; the chain was rewritten."
        )


def ensure_witness(witness: Position, there: str | None, last: int) -> None:
    """Raises ChainBroken where the event that this host saw committed is gone or another."""
    if there is None:
        raise ChainBroken(
            last + 1,
            f"audit: the chain ends at event {last}, but this host saw event {witness.seq} committed; the tail "
            "was cut, or an older copy of the registry was put in its place (if that was meant, remove the "
            "witness file from the keys directory).",
        )
    if there != witness.hash:
        raise ChainBroken(
            witness.seq,
            f"audit: event {witness.seq} is not the one that this host saw committed; the chain was rewritten "
            "at or before it.",
        )


def head_bytes(seq: int, hash_: str) -> bytes:
    """What the signature of the head covers."""
    return canonical_json({"seq": seq, "hash": hash_}).encode("ascii")


def witness_file(keys_dir: Path) -> Path:
    return keys_dir / "audit-witness.json"


def read_witness(keys_dir: Path) -> Position | None:
    """The last event that this host saw committed; None where it never acted. Raises ChainBroken."""
    try:
        found = json.loads(witness_file(keys_dir).read_text("utf-8"))
        return Position(int(found["seq"]), str(found["hash"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise ChainBroken(0, "audit: the witness file in the keys directory cannot be read.") from None


def write_witness(keys_dir: Path, position: Position) -> None:
    """Remembers, outside the database, an event that was committed. Late by one after a crash, never ahead."""
    with tempfile.NamedTemporaryFile("w", dir=keys_dir, prefix=".witness-", delete=False) as out:
        out.write(canonical_json({"seq": position.seq, "hash": position.hash}))
        out.flush()
        os.fsync(out.fileno())
    Path(out.name).replace(witness_file(keys_dir))
    sync_directory(keys_dir)
