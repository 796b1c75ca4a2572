"""Verification of the whole audit log: every event from the first to the last, the signed head, and the witness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.chain import GENESIS, FindKey, Position, ensure_head, ensure_witness, event_hash
from auth.db.models import AuditEvent, AuditHead
from auth.errors import ChainBroken

PAGE = 1000


@dataclass(frozen=True)
class VerifiedChain:
    """The summary of an audit log in which no event was edited, deleted, inserted or reordered."""

    events: int
    last: datetime
    head: str
    witnessed: int
    """Number of the last event that this host saw committed; 0 if it never made a change."""


def verify_chain(session: Session, find_key: FindKey, witness: Position | None) -> VerifiedChain:
    """Verifies the chain from its first event to its last, in constant memory.

    Raises ChainBroken with the position of the first event that was edited, deleted, inserted or moved.
    """
    previous, last, seen = Position(0, GENESIS), None, None
    for event in _read_in_pages(session):
        _ensure_follows(event, previous)
        previous, last = Position(event.seq, event.hash), event.at
        if witness is not None and event.seq == witness.seq:
            seen = event.hash
    ensure_head(session.get(AuditHead, 1), previous, find_key)
    if witness is not None:
        ensure_witness(witness, seen, previous.seq)
    if last is None:
        raise ChainBroken(
            1, "audit: it is empty, but the creation of the registry is always its first event."
        )
    return VerifiedChain(previous.seq, last, previous.hash, witness.seq if witness else 0)


def _ensure_follows(event: AuditEvent, previous: Position) -> None:
    seq = previous.seq + 1
    if event.seq != seq:
        raise ChainBroken(seq, f"audit: event {seq} is missing; it was deleted.")
    if event.previous != previous.hash:
        raise ChainBroken(
            seq,
            f"audit: event {seq} does not follow event {previous.seq}; an event was edited, deleted, inserted or "
            "moved there.",
        )
    if event_hash(event) != event.hash:
        raise ChainBroken(seq, f"audit: event {seq} does not match its hash; it was edited.")


def _read_in_pages(session: Session) -> Iterator[AuditEvent]:
    after: int | None = None
    while True:
        query = select(AuditEvent).order_by(AuditEvent.seq).limit(PAGE)
        page = session.scalars(query if after is None else query.where(AuditEvent.seq > after)).all()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].seq
        session.expunge_all()
