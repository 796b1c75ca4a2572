"""The audit log as lines of JSON, with everything that is hashed, so that anybody can verify the chain without this program.

An event's hash is SHA-256 over the canonical JSON (keys sorted, no spaces, UTF-8) of all its members except `hash`. Each
event names the hash of the event before it in `previous`; the first one has 64 zeros. The last line is the head, with its
detached JWS over `{"hash":...,"seq":...}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine, func, select

from auth.audit.chain import hashed_fields
from auth.db.engine import snapshot
from auth.db.models import AuditEvent, AuditHead

PAGE = 1000
"""Number of events that are read at once."""


def export_lines(engine: Engine, after: int) -> Iterator[dict[str, object]]:
    """One line for each event after a position, up to the last event at the time of the call, and one line for the head.

    The events are read in pages. No connection is held between two pages, so a slow reader blocks no one else. The exported
    events do not change meanwhile, since the log is append-only. Raises RegistryUnavailable.
    """
    with snapshot(engine) as session:
        head = session.get(AuditHead, 1)
        end = session.scalar(select(func.max(AuditEvent.seq))) or 0
    query = select(AuditEvent).where(AuditEvent.seq <= end).order_by(AuditEvent.seq).limit(PAGE)
    while after < end:
        with snapshot(engine) as session:
            page = session.scalars(query.where(AuditEvent.seq > after)).all()
        for event in page:
            yield {**hashed_fields(event), "hash": event.hash}
        after = page[-1].seq if page else end
    if head is not None:
        yield {"head": head.hash, "seq": head.seq, "signature": head.signature}
