"""/v1/admin/audit: export the audit log, and verify it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Annotated

import orjson
from fastapi import Depends
from fastapi.responses import StreamingResponse

from api.access.admins import require_right
from api.dependencies import OpenRegistry
from api.http.document import Document
from api.http.media import FORMATS
from api.http.parameters import DECLARED_PARAMETERS, OptionalText, text_parameter
from api.http.responses import NO_STORE, DescribedResponse, NoStore
from api.http.router import Router, raises
from auth.errors import MalformedValue
from auth.registry import Registry
from datasets.refusal import printable

router = Router(prefix="/v1/admin", tags=["admin"], dependencies=[DECLARED_PARAMETERS])
MAY_READ = [Depends(require_right("read"))]
LINES_PER_CHUNK = 1000
"""Lines of the audit log in one chunk of the response."""


class AuditLines(DescribedResponse):
    """Events of the audit log, one JSON object on each line."""

    media_type = FORMATS["ndjson"]


class AuditSummary(Document):
    """An audit log in which no event was edited, deleted, inserted or reordered."""

    events: int
    """How many events it has."""
    last: datetime
    head: str
    """The hash of the last event, which is signed."""


@router.get("/audit", summary="Export the audit log", dependencies=MAY_READ)
@raises(MalformedValue)
def audit(
    registry: OpenRegistry,
    after: Annotated[OptionalText, text_parameter("Only events after this position in the log.", "0")] = None,
) -> Annotated[StreamingResponse, AuditLines]:
    """Every event after the position `after`, one JSON object per line, then the signed head of the chain."""
    text = "0" if after is None else after
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise MalformedValue(
            f"after: {printable(text)!r} is not a position; write a whole number.",
            parameter="after",
            value=text,
        )
    return StreamingResponse(_audit_chunks(registry, int(text)), 200, NO_STORE, FORMATS["ndjson"])


@router.get("/audit/verify", summary="Verify the audit log", dependencies=MAY_READ)
def verify(registry: OpenRegistry) -> NoStore[AuditSummary]:
    """Verify the hash chain from its first event to its signed head."""
    return NoStore(AuditSummary.of(registry.audit.verify()))


def _audit_chunks(registry: Registry, after: int) -> Iterator[bytes]:
    """The lines in chunks: each chunk is read by one call in a thread of the pool."""
    lines = registry.audit.export(after)
    while chunk := list(islice(lines, LINES_PER_CHUNK)):
        yield b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in chunk)
