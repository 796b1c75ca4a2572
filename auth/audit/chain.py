"""The audit log: its events, chained by hashes, its signed head, and the witness file outside the database.

Each change of the registry is recorded in the transaction that makes it. An edit, a deletion, an insertion or a reordering
of events breaks the chain of hashes at that place. If the last events are deleted, the signed head no longer matches. If
the head is replaced too, the witness no longer matches: a file on the host that made the change, which holds the position
of the last event that this host saw committed.
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
"""The hash that the first event has in `previous`."""

FindKey = Callable[[str], Key | None]
"""Gives the public key that has a kid, or None."""


@dataclass(frozen=True)
class Mandate:
    """Who makes a change, for what reason, and when (UTC)."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Position:
    """The position of an event in the chain: its number, counted from 1, and its hash."""

    seq: int
    hash: str


def canonical_json(value: Mapping[str, object]) -> str:
    """The only spelling of a value that is hashed or signed: JSON with sorted keys, without spaces.

    >>> canonical_json({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def hashed_fields(event: AuditEvent) -> dict[str, object]:
    """The fields that an event's hash covers, with the hash of the event before. `details` is the text that was hashed."""
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
    """The hash of an event: SHA-256 over the canonical JSON of `hashed_fields`, in hexadecimal."""
    return hashlib.sha256(canonical_json(hashed_fields(event)).encode("utf-8")).hexdigest()


def append_event(
    session: Session,
    mandate: Mandate,
    signer: Signer,
    action: str,
    subject: str,
    details: Mapping[str, object],
) -> Position:
    """Adds an event at the end and signs it as the new head, inside the caller's write transaction.

    Call `ensure_untouched` first in the same transaction: a new signature must not cover up earlier tampering.
    `details` holds identifiers, never names or addresses of people: events are never deleted.
    """
    head = session.get(AuditHead, 1) or AuditHead(id=1, seq=0, hash=GENESIS)
    event = AuditEvent(
        seq=head.seq + 1,
        at=mandate.at,
        actor=mandate.by,
        act=action,
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


def ensure_untouched(session: Session, find_key: FindKey, witness: Position | None) -> None:
    """Raises ChainBroken unless the last event is the signed head, and the event of the witness is unchanged."""
    head = session.get(AuditHead, 1)
    last = session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc()).limit(1)).first()
    ensure_head(head, Position(last.seq, last.hash) if last else Position(0, GENESIS), find_key)
    if witness is not None and witness.seq > 0:
        seen = session.get(AuditEvent, witness.seq)
        ensure_witness(witness, seen.hash if seen else None, last.seq if last else 0)


def ensure_head(head: AuditHead | None, last: Position, find_key: FindKey) -> None:
    """Raises ChainBroken unless the head is signed by this registry and names the last event."""
    if head is None:
        if last.seq:
            raise ChainBroken(
                last.seq, f"audit: there are {last.seq} event(s) but no signed head; it was deleted."
            )
        return
    try:
        verify_detached(head_bytes(head.seq, head.hash), head.signature, "audit", find_key)
    except SignatureRefused:
        raise ChainBroken(
            head.seq,
            f"audit: the head at event {head.seq} was not signed by this registry; it was rewritten.",
        ) from None
    if last.seq < head.seq:
        raise ChainBroken(
            last.seq + 1,
            f"audit: the chain ends at event {last.seq}, but the signed head is event {head.seq}; "
            f"the events from {last.seq + 1} on were deleted.",
        )
    if last.seq > head.seq:
        raise ChainBroken(
            head.seq + 1, f"audit: event {head.seq + 1} comes after the signed head; it was inserted."
        )
    if last.hash != head.hash:
        raise ChainBroken(
            last.seq, f"audit: event {last.seq} is not the event that was signed; the chain was rewritten."
        )


def ensure_witness(witness: Position, found: str | None, last: int) -> None:
    """Raises ChainBroken if the event that this host saw committed is missing or has another hash.

    `found` is the hash of the event at that position, None if there is no such event; `last` is the number of the last event.
    """
    if found is None:
        raise ChainBroken(
            last + 1,
            f"audit: the chain ends at event {last}, but this host saw event {witness.seq} committed; the last events "
            "were deleted, or an older copy of the registry was restored (if that was intended, remove the "
            "witness file from the keys directory).",
        )
    if found != witness.hash:
        raise ChainBroken(
            witness.seq,
            f"audit: event {witness.seq} is not the event that this host saw committed; the chain was rewritten "
            "at or before it.",
        )


def head_bytes(seq: int, hash_: str) -> bytes:
    """The bytes that the signature of the head covers."""
    return canonical_json({"seq": seq, "hash": hash_}).encode("ascii")


def witness_file(keys_dir: Path) -> Path:
    """The path of the witness."""
    return keys_dir / "audit-witness.json"


def read_witness(keys_dir: Path) -> Position | None:
    """The last event that this host saw committed; None before its first change. Raises ChainBroken if it is unreadable."""
    try:
        found = json.loads(witness_file(keys_dir).read_text("utf-8"))
        return Position(int(found["seq"]), str(found["hash"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise ChainBroken(0, "audit: the witness file in the keys directory cannot be read.") from None


def write_witness(keys_dir: Path, position: Position) -> None:
    """Stores the position of a committed event, with fsync. After a crash it may be one event behind, never ahead."""
    with tempfile.NamedTemporaryFile("w", dir=keys_dir, prefix=".witness-", delete=False) as out:
        out.write(canonical_json({"seq": position.seq, "hash": position.hash}))
        out.flush()
        os.fsync(out.fileno())
    Path(out.name).replace(witness_file(keys_dir))
    sync_directory(keys_dir)
