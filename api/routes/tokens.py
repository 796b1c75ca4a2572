"""POST /v1/tokens/revoke: close a token that somebody found."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from api.access.admission import CHANGE_REFUSALS
from api.access.authentication import client_address
from api.access.registry_calls import call_registry
from api.access.throttle import TooManyAttempts
from api.dependencies import OpenRegistry
from api.http.body import JsonBody, read_body
from api.http.parameters import DECLARED_PARAMETERS
from api.http.responses import NoContent
from api.http.router import Router, raises
from api.refusals import Malformed, TooLarge
from auth.audit.chain import Mandate
from auth.crypto.jwt import MAX_TOKEN_LENGTH
from auth.errors import TokenRefused, UnknownRecord
from auth.registry import Registry

log = logging.getLogger("daylight.auth")

router = Router(prefix="/v1/tokens", tags=["me"], dependencies=[DECLARED_PARAMETERS])

MAX_TOKEN_BODY_BYTES = 8192


class FoundToken(BaseModel):
    """A token that somebody found. Other members are ignored."""

    token: Annotated[str, Field(max_length=MAX_TOKEN_LENGTH, examples=["the text that was found"])]


class FoundTokenBody(JsonBody[FoundToken]):
    """The body of the request. Raises Malformed, which never says what the body was."""

    raises = (Malformed,)

    async def __call__(self, request: Request) -> FoundToken:
        try:
            return FoundToken.model_validate_json(await read_body(request, MAX_TOKEN_BODY_BYTES), strict=True)
        except TooLarge:
            raise Malformed("The body is longer than any token.") from None
        except ValidationError:
            raise Malformed(
                'Send the token that was found as JSON: {"token": "..."}.', parameter="token"
            ) from None


@router.post("/revoke", summary="Close a token that was found")
@raises(*CHANGE_REFUSALS, TooManyAttempts)
async def revoke_found(
    request: Request, body: Annotated[FoundToken, Depends(FoundTokenBody(FoundToken))], registry: OpenRegistry
) -> NoContent:
    """Anybody who has the text of a token may close it, also that of an admin's session.

    The tokens that it replaced or that replaced it are closed with it, also if the text itself has expired. The response
    is the same if the text is not a token (RFC 7009, section 2.2).
    """
    throttle, address = request.app.state.login_throttle, client_address(request)
    name = throttle.ensure_not_throttled(address, body.token)
    try:
        close, token_id = await call_registry(request, _identify, registry, body.token)
        mandate = Mandate(f"holder:{token_id}", "whoever holds it closes it", datetime.now(UTC))
        await run_in_threadpool(close, token_id, mandate)
    except (UnknownRecord, TokenRefused) as refused:
        log.info("token refused: %s", getattr(refused, "cause", "found, and unknown"))
    # a token that was closed counts too: whoever has its text could otherwise add an event to the audit log without limit
    throttle.record_failure(address, name)
    return NoContent()


def _identify(registry: Registry, text: str) -> tuple[Callable[[str, Mandate], object], str]:
    """The function that closes the token with this text, and its identifier.

    Raises UnknownRecord, TokenRefused, RegistryUnavailable.
    """
    try:
        return registry.tokens.revoke, registry.tokens.ensure_genuine(text)
    except UnknownRecord:
        return registry.sessions.close, registry.sessions.identify(text)
