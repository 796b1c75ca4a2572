"""The audit as lines of JSON: everything that is hashed, so that anybody can follow the chain without this program.

An event's hash is SHA-256 over the canonical JSON (keys sorted, no spaces, UTF-8) of all its members but `hash`; each names
the hash before it in `previous`, the first one 64 zeros. The last line is the head, with its detached JWS over
`{"hash":...,"seq":...}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.models import AuditEvent, AuditHead


def exported(session: Session, after: int) -> Iterator[dict[str, object]]:
    """A line for each event after a position, and one for the head. `details` stays the text that was hashed."""
    asked = select(AuditEvent).where(AuditEvent.seq > after).order_by(AuditEvent.seq)
    for event in session.scalars(asked.execution_options(yield_per=1000)):
        yield {
            "seq": event.seq,
            "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": event.actor,
            "act": event.act,
            "subject": event.subject,
            "reason": event.reason,
            "details": event.details,
            "previous": event.previous,
            "hash": event.hash,
        }
    head = session.get(AuditHead, 1)
    if head is not None:
        yield {"head": head.hash, "seq": head.seq, "signature": head.signature}
