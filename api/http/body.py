"""The body of a request, read up to a maximum size."""

from __future__ import annotations

from fastapi import Request

from api.refusals import TooLarge

MAX_BODY_BYTES = 64 * 1024
"""For questions and for the requests of admins."""


async def read_body(request: Request, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The body of a request. Raises TooLarge if it has more than `max_bytes`."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge(f"The body has more than {max_bytes} bytes; send a smaller one.")
    return body
