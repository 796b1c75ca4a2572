"""The whole audit, read from its first event and compared with its head and its witness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import GENESIS, FindKey, Position, ensure_head, ensure_witness, event_hash
from auth.db.models import AuditEvent, AuditHead
from auth.errors import ChainBroken

_PAGE = 1000


@dataclass(frozen=True)
class VerifiedChain:
    """An audit in which nothing was edited, cut, reordered or added to."""

    events: int
    last: datetime
    head: str
    witnessed: int
    """The last event that this host saw committed itself; 0 where it never acted."""


def verify_chain(session: Session, key_of: FindKey, witness: Position | None) -> VerifiedChain:
    """Follows the chain from end to end, in constant memory.

    Raises ChainBroken with the position of the first event that was edited, deleted, inserted or moved.
    """
    previous, last, seen = Position(0, GENESIS), None, None
    for event in _read_in_pages(session):
        _ensure_follows(event, previous)
        previous, last = Position(event.seq, event.hash), event.at
        if witness is not None and event.seq == witness.seq:
            seen = event.hash
    ensure_head(session.get(AuditHead, 1), previous, key_of)
    if witness is not None:
        ensure_witness(witness, seen, previous.seq)
    if last is None:
        raise ChainBroken(1, "audit: it is empty, though the making of the registry is its first event.")
    return VerifiedChain(previous.seq, last, previous.hash, witness.seq if witness else 0)


def _ensure_follows(event: AuditEvent, previous: Position) -> None:
    seq = previous.seq + 1
    if event.seq != seq:
        raise ChainBroken(seq, f"audit: event {seq} is missing; it was deleted.")
    if event.previous != previous.hash:
        raise ChainBroken(
            seq,
            f"audit: event {seq} does not follow event {previous.seq}; one was edited, deleted, inserted or "
            "moved there.",
        )
    if event_hash(event) != event.hash:
        raise ChainBroken(seq, f"audit: event {seq} does not say what was hashed; it was edited.")


def _read_in_pages(session: Session) -> Iterator[AuditEvent]:
    after: int | None = None
    while True:
        asked = select(AuditEvent).order_by(AuditEvent.seq).limit(_PAGE)
        page = session.scalars(asked if after is None else asked.where(AuditEvent.seq > after)).all()
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].seq
        session.expunge_all()
