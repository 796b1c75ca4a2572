"""/v1/admin/audit: export the audit log, and verify it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse

from api.access.admins import require_right
from api.dependencies import OpenRegistry, only_parameters
from api.http.media import FORMATS
from api.http.responses import NO_STORE, no_store_response
from auth.errors import MalformedValue
from auth.registry import Registry
from datasets.refusal import printable

router = APIRouter(prefix="/v1/admin", tags=["admin"])
MAY_READ = [Depends(only_parameters()), Depends(require_right("read"))]
LINES_PER_CHUNK = 1000
"""Lines of the audit log in one chunk of the response."""


@router.get("/audit", summary="Export the audit log", dependencies=[Depends(require_right("read"))])
def audit(
    registry: OpenRegistry, query: Annotated[dict[str, str], Depends(only_parameters("after"))]
) -> Response:
    """Every event after the position `after`, one JSON object per line, then the signed head of the chain."""
    text = query.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise MalformedValue(
            f"after: {printable(text)!r} is not a position; write a whole number.",
            parameter="after",
            value=text,
        )
    return StreamingResponse(_audit_chunks(registry, int(text)), 200, NO_STORE, FORMATS["ndjson"])


@router.get("/audit/verify", summary="Verify the audit log", dependencies=MAY_READ)
def verify(registry: OpenRegistry) -> Response:
    """Verify the hash chain from its first event to its signed head."""
    chain = registry.audit.verify()
    return no_store_response({"events": chain.events, "last": chain.last, "head": chain.head})


def _audit_chunks(registry: Registry, after: int) -> Iterator[bytes]:
    """The lines in chunks: each chunk is read by one call in a thread of the pool."""
    lines = registry.audit.export(after)
    while chunk := list(islice(lines, LINES_PER_CHUNK)):
        yield b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in chunk)
