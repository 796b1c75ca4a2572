"""/v1/me: what the caller's token may do, what its project has used, and how to replace or close it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.access.registry_calls import call_registry
from api.dependencies import CurrentPrincipal, OpenRegistry, SettingsOf, only_parameters
from api.http.responses import NO_STORE, no_store_response
from auth.audit.chain import Mandate
from auth.errors import MalformedValue
from auth.tokens.issuing import SOON
from auth.tokens.principal import Principal
from auth.tokens.rotation import DEFAULT_OVERLAP
from datasets.refusal import printable

router = APIRouter(prefix="/v1/me", tags=["me"])

WARN_BEFORE_END = timedelta(days=SOON)


@router.get("", summary="The current token", dependencies=[Depends(only_parameters())])
async def me(principal: CurrentPrincipal, settings: SettingsOf) -> Response:
    """The project, scopes and limits of the token that was sent, when it expires, and a warning if that is soon."""
    left = principal.expires - datetime.now(UTC)
    return no_store_response(
        {
            "project": principal.reference,
            "researcher": principal.researcher,
            "token": principal.token_id,
            "scopes": sorted(principal.scopes),
            "tier": principal.tier,
            "expires": principal.expires.isoformat(),
            "limits": {
                "project": settings.limit_of(principal.tier),
                "files": settings.limit_files,
                "plans": settings.limit_open,
            },
            "quota_per_day": {"rows": settings.quota_rows, "bytes": settings.quota_bytes},
            "warnings": [f"This access ends in {max(left.days, 0)} days."] if left < WARN_BEFORE_END else [],
        }
    )


@router.get("/usage", summary="Usage of the project", dependencies=[Depends(only_parameters())])
async def usage(
    request: Request, principal: CurrentPrincipal, settings: SettingsOf, registry: OpenRegistry
) -> Response:
    """Answers, rows and bytes that were charged to the project on each of the last days (UTC), and its daily quota.

    Refusals, errors, 304 responses, plans and metadata are not charged. An answer that broke off is charged as far as it was
    sent.
    """
    days = await call_registry(request, registry.usage.last_days, principal.project, datetime.now(UTC).date())
    return no_store_response(
        {
            "project": principal.reference,
            "quota_per_day": {"rows": settings.quota_rows, "bytes": settings.quota_bytes},
            "days": [{"day": day.isoformat(), **asdict(taken)} for day, taken in days],
        }
    )


@router.post("/tokens/rotate", summary="Replace the current token")
def rotate(
    principal: CurrentPrincipal,
    registry: OpenRegistry,
    query: Annotated[dict[str, str], Depends(only_parameters("overlap_hours"))],
) -> Response:
    """Issue a new token, whose text is shown only in this response. The current one stays valid for `overlap_hours`.

    `overlap_hours` is a whole number from 0 to 168; 24 by default.
    """
    overlap = _parse_hours(query["overlap_hours"]) if "overlap_hours" in query else DEFAULT_OVERLAP
    issued = registry.tokens.rotate(
        principal.token_id, overlap, _mandate_of_holder(principal, "its holder replaces it")
    )
    return no_store_response(
        {"token": issued.text, "token_id": issued.token_id, "expires": issued.expires.isoformat()}, 201
    )


@router.delete(
    "/tokens/current", summary="Close the current token", dependencies=[Depends(only_parameters())]
)
def close(principal: CurrentPrincipal, registry: OpenRegistry) -> Response:
    """The token that was sent is refused from the next request on, and so are those that it replaced or that replaced it."""
    registry.tokens.revoke(principal.token_id, _mandate_of_holder(principal, "its holder closes it"))
    return Response(None, 204, NO_STORE)


def _mandate_of_holder(principal: Principal, reason: str) -> Mandate:
    return Mandate(f"token:{principal.token_id}", reason, datetime.now(UTC))


def _parse_hours(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise MalformedValue(
            f"overlap_hours: {printable(text)!r} is not a number of hours; write a whole number from 0 to 168.",
            parameter="overlap_hours",
            value=text,
        )
    return timedelta(hours=int(text))
