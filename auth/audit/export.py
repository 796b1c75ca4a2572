"""The audit as lines of JSON: everything that is hashed, so that anybody can follow the chain without this program.

An event's hash is SHA-256 over the canonical JSON (keys sorted, no spaces, UTF-8) of all its members but `hash`; each names
the hash before it in `previous`, the first one 64 zeros. The last line is the head, with its detached JWS over
`{"hash":...,"seq":...}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine, func, select

from auth.audit.log import hashed_fields
from auth.db.engine import snapshot
from auth.db.models import AuditEvent, AuditHead

PAGE = 1000
"""Events that are read at once."""


def export_lines(engine: Engine, after: int) -> Iterator[dict[str, object]]:
    """A line for each event after a position up to the end as it is now, and one for the head.

    Read in pages, between which nothing is held: a reader may be as slow as it likes, and the chain never changes. Raises
    RegistryUnavailable.
    """
    with snapshot(engine) as session:
        head = session.get(AuditHead, 1)
        end = session.scalar(select(func.max(AuditEvent.seq))) or 0
    asked = select(AuditEvent).where(AuditEvent.seq <= end).order_by(AuditEvent.seq).limit(PAGE)
    while after < end:
        with snapshot(engine) as session:
            page = session.scalars(asked.where(AuditEvent.seq > after)).all()
        for event in page:
            yield {**hashed_fields(event), "hash": event.hash}
        after = page[-1].seq if page else end
    if head is not None:
        yield {"head": head.hash, "seq": head.seq, "signature": head.signature}
