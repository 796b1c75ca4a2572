"""POST /v1/tokens/revoke: close a token that somebody found."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from api.access.authentication import client_address
from api.access.registry_calls import call_registry
from api.dependencies import OpenRegistry, only_parameters
from api.http.body import read_body
from api.http.responses import NO_STORE
from api.refusals import Malformed, TooLarge
from auth.audit.chain import Mandate
from auth.crypto.jwt import MAX_TOKEN_LENGTH
from auth.errors import TokenRefused, UnknownRecord
from auth.registry import Registry

log = logging.getLogger("daylight.auth")

router = APIRouter(prefix="/v1/tokens", tags=["me"], dependencies=[Depends(only_parameters())])

MAX_TOKEN_BODY_BYTES = 8192
BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["token"],
                "properties": {"token": {"type": "string", "maxLength": MAX_TOKEN_LENGTH}},
            },
            "example": {"token": "the text that was found"},
        }
    },
}


async def _token_in_body(request: Request) -> str:
    """The text of the token in the body. Raises Malformed."""
    try:
        members = orjson.loads(await read_body(request, MAX_TOKEN_BODY_BYTES))
        text = members["token"]
    except TooLarge:
        raise Malformed("The body is longer than any token.") from None
    except (orjson.JSONDecodeError, KeyError, TypeError):
        text = None
    if not isinstance(text, str) or len(text) > MAX_TOKEN_LENGTH:
        raise Malformed('Send the token that was found as JSON: {"token": "..."}.', parameter="token")
    return text


@router.post("/revoke", summary="Close a token that was found", openapi_extra={"requestBody": BODY})
async def revoke_found(
    request: Request, text: Annotated[str, Depends(_token_in_body)], registry: OpenRegistry
) -> Response:
    """Anybody who has the text of a token may close it, also that of an admin's session.

    The tokens that it replaced or that replaced it are closed with it, also if the text itself has expired. The response
    is the same if the text is not a token (RFC 7009, section 2.2).
    """
    throttle, address = request.app.state.login_throttle, client_address(request)
    name = throttle.ensure_not_throttled(address, text)
    try:
        close, token_id = await call_registry(request, _identify, registry, text)
        mandate = Mandate(f"holder:{token_id}", "whoever holds it closes it", datetime.now(UTC))
        await run_in_threadpool(close, token_id, mandate)
    except (UnknownRecord, TokenRefused) as refused:
        log.info("token refused: %s", getattr(refused, "cause", "found, and unknown"))
        throttle.record_failure(address, name)
    return Response(None, 204, NO_STORE)


def _identify(registry: Registry, text: str) -> tuple[Callable[[str, Mandate], object], str]:
    """The function that closes the token with this text, and its identifier.

    Raises UnknownRecord, TokenRefused, RegistryUnavailable.
    """
    try:
        return registry.tokens.revoke, registry.tokens.ensure_genuine(text)
    except UnknownRecord:
        return registry.sessions.close, registry.sessions.identify(text)
