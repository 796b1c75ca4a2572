"""/v1/me and /v1/tokens: what a researcher's token is, how to replace it, and how anybody closes one that was found."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from api.access.authentication import client_address
from api.access.registry_calls import call_registry
from api.dependencies import CurrentPrincipal, OpenRegistry, SettingsOf, only_parameters
from api.http.media import FORMATS
from api.refusals import Malformed
from auth.audit.log import Mandate
from auth.crypto.jwt import LONGEST_TEXT
from auth.errors import MalformedValue, TokenRefused, UnknownRecord
from auth.registry import Registry
from auth.tokens.issuing import SOON
from auth.tokens.principal import Principal
from auth.tokens.rotation import DEFAULT_OVERLAP
from datasets.refusal import printable

log = logging.getLogger("daylight.auth")

router = APIRouter(prefix="/v1/me", tags=["me"])
found_router = APIRouter(prefix="/v1/tokens", tags=["me"], dependencies=[Depends(only_parameters())])

NO_STORE = {"Cache-Control": "no-store"}
WARN_BEFORE_END = timedelta(days=SOON)
MOST_BYTES = 8192


@router.get("", summary="Who asks", dependencies=[Depends(only_parameters())])
async def me(asker: CurrentPrincipal, settings: SettingsOf) -> Response:
    """The project, scopes and limits of the token that is shown, when its access ends, and a warning when that is soon."""
    left = asker.expires - datetime.now(UTC)
    return _no_store_json(
        {
            "project": asker.reference,
            "researcher": asker.researcher,
            "token": asker.token_id,
            "scopes": sorted(asker.scopes),
            "tier": asker.tier,
            "expires": asker.expires.isoformat(),
            "limits": {
                "project": settings.limit_of(asker.tier),
                "files": settings.limit_files,
                "plans": settings.limit_open,
            },
            "quota_per_day": {"rows": settings.quota_rows, "bytes": settings.quota_bytes},
            "warnings": [f"This access ends in {max(left.days, 0)} days."] if left < WARN_BEFORE_END else [],
        }
    )


@router.get("/usage", summary="What was taken", dependencies=[Depends(only_parameters())])
async def usage(
    request: Request, asker: CurrentPrincipal, settings: SettingsOf, registry: OpenRegistry
) -> Response:
    """Answers, rows and bytes that the project was given on each of the last days (UTC), and its quota a day.

    Refusals, faults, 304s, plans and metadata are not in it: they cost nothing. Answers that broke off are, as far as sent.
    """
    days = await call_registry(request, registry.usage.last_days, asker.project, datetime.now(UTC).date())
    return _no_store_json(
        {
            "project": asker.reference,
            "quota_per_day": {"rows": settings.quota_rows, "bytes": settings.quota_bytes},
            "days": [{"day": day.isoformat(), **asdict(taken)} for day, taken in days],
        }
    )


@router.post("/tokens/rotate", summary="Replace the token")
def rotate(
    asker: CurrentPrincipal,
    registry: OpenRegistry,
    given: Annotated[dict[str, str], Depends(only_parameters("overlap_hours"))],
) -> Response:
    """A new token, shown this once. The one that asks goes on for `overlap_hours`, 24 if not said, at most 168."""
    overlap = _parse_hours(given["overlap_hours"]) if "overlap_hours" in given else DEFAULT_OVERLAP
    issued = registry.rotate_token(
        asker.token_id, overlap, _mandate_of_holder(asker, "its holder replaces it")
    )
    return _no_store_json(
        {"token": issued.text, "token_id": issued.token_id, "expires": issued.expires.isoformat()}, 201
    )


@router.delete("/tokens/current", summary="Close the token", dependencies=[Depends(only_parameters())])
def close(asker: CurrentPrincipal, registry: OpenRegistry) -> Response:
    """The token that asks opens nothing from the next request on."""
    registry.revoke_token(asker.token_id, _mandate_of_holder(asker, "its holder closes it"))
    return Response(None, 204, NO_STORE)


async def _token_in_body(request: Request) -> str:
    """The text of the token in the body."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Malformed("The body is longer than any token.")
    try:
        members = orjson.loads(body)
        text = members["token"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        text = None
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise Malformed('Send the token that was found as JSON: {"token": "..."}.', parameter="token")
    return text


@found_router.post("/revoke", summary="Close a token that was found")
async def revoke_found(
    request: Request, text: Annotated[str, Depends(_token_in_body)], registry: OpenRegistry
) -> Response:
    """Whoever holds a token, also one of an admin's session, may close it.

    The answer is the same whether or not it was one (RFC 7009, section 2.2).
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
    """What closes a token of this text, and its identifier. Raises TokenRefused, RegistryUnavailable."""
    try:
        return registry.revoke_token, registry.identify_token(text, datetime.now(UTC)).token_id
    except UnknownRecord:
        return registry.admins.close_session, registry.admins.identify_session(text)


def _mandate_of_holder(asker: Principal, reason: str) -> Mandate:
    return Mandate(f"token:{asker.token_id}", reason, datetime.now(UTC))


def _parse_hours(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise MalformedValue(
            f"overlap_hours: {printable(text)!r} is no number of hours; write a whole number from 0 to 168.",
            parameter="overlap_hours",
            value=text,
        )
    return timedelta(hours=int(text))


def _no_store_json(document: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, NO_STORE, FORMATS["json"])
