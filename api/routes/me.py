"""/v1/me: what the caller's token may do, what its project has used, and how to replace or close it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import Request

from api.access.admission import CHANGE_REFUSALS
from api.access.registry_calls import call_registry
from api.dependencies import CurrentPrincipal, OpenRegistry, SettingsOf
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS, OptionalText, text_parameter
from api.http.responses import Created, NoContent, NoStore
from api.http.router import Router, raises
from api.settings import ApiSettings
from auth.audit.chain import Mandate
from auth.errors import MalformedValue, NotAllowed
from auth.tokens.issuing import SOON
from auth.tokens.principal import Principal
from auth.tokens.rotation import DEFAULT_OVERLAP
from datasets.refusal import printable

router = Router(prefix="/v1/me", tags=["me"], dependencies=[DECLARED_PARAMETERS])

WARN_BEFORE_END = timedelta(days=SOON)


class TokenLimits(Document):
    """The rate limits of the token's project: questions, files and plans."""

    project: str
    files: str
    plans: str


class DailyQuota(Document):
    """The rows and bytes that a project may receive in a day (UTC)."""

    rows: int
    bytes: int


class CurrentToken(Document):
    """What the token may do, until when, and how much."""

    project: str
    researcher: str
    token: str
    scopes: list[str]
    tier: str
    expires: datetime
    limits: TokenLimits
    quota_per_day: DailyQuota
    warnings: list[str]


class DailyUsage(Document):
    """What was charged to the project on a day (UTC)."""

    day: date
    requests: int
    rows: int
    bytes: int


class ProjectUsage(Document):
    """What was charged to the project on each of the last days."""

    project: str
    quota_per_day: DailyQuota
    days: list[DailyUsage]


class ReplacementToken(Document):
    """The text of the new token, which is shown only here, its identifier and its end."""

    token: str
    token_id: str
    expires: datetime


@router.get("", summary="The current token")
async def me(principal: CurrentPrincipal, settings: SettingsOf) -> NoStore[CurrentToken]:
    """The project, scopes and limits of the token that was sent, when it expires, and a warning if that is soon."""
    left = principal.expires - datetime.now(UTC)
    limits = TokenLimits(
        project=settings.limit_of(principal.tier), files=settings.limit_files, plans=settings.limit_open
    )
    token = CurrentToken(
        project=principal.reference,
        researcher=principal.researcher,
        token=principal.token_id,
        scopes=sorted(principal.scopes),
        tier=principal.tier,
        expires=principal.expires,
        limits=limits,
        quota_per_day=_quota_of(settings),
        warnings=[f"This access ends in {max(left.days, 0)} days."] if left < WARN_BEFORE_END else [],
    )
    return NoStore(token)


@router.get("/usage", summary="Usage of the project")
async def usage(
    request: Request, principal: CurrentPrincipal, settings: SettingsOf, registry: OpenRegistry
) -> NoStore[ProjectUsage]:
    """Answers, rows and bytes that were charged to the project on each of the last days (UTC), and its daily quota.

    Refusals, errors, 304 responses, plans and metadata are not charged. An answer that broke off is charged as far as it was
    sent.
    """
    days = await call_registry(request, registry.usage.last_days, principal.project, datetime.now(UTC).date())
    charged = [
        DailyUsage(day=day, requests=taken.requests, rows=taken.rows, bytes=taken.bytes)
        for day, taken in days
    ]
    return NoStore(ProjectUsage(project=principal.reference, quota_per_day=_quota_of(settings), days=charged))


@router.post("/tokens/rotate", summary="Replace the current token")
@raises(*CHANGE_REFUSALS, MalformedValue, NotAllowed)
def rotate(
    principal: CurrentPrincipal,
    registry: OpenRegistry,
    overlap_hours: Annotated[
        OptionalText,
        text_parameter(
            "For how many hours the current token stays valid, from 0 to 168; 24 by default.",
            "24",
            pattern=r"^(\d|[1-9]\d|1[0-5]\d|16[0-8])$",
        ),
    ] = None,
) -> Created[ReplacementToken]:
    """Issue a new token, whose text is shown only in this response. The current one stays valid for `overlap_hours`.

    `overlap_hours` is a whole number from 0 to 168; 24 by default.
    """
    overlap = DEFAULT_OVERLAP if overlap_hours is None else _parse_hours(overlap_hours)
    issued = registry.tokens.rotate(
        principal.token_id, overlap, _mandate_of_holder(principal, "its holder replaces it")
    )
    return Created(ReplacementToken(token=issued.text, token_id=issued.token_id, expires=issued.expires))


@router.delete("/tokens/current", summary="Close the current token")
@raises(*CHANGE_REFUSALS)
def close(principal: CurrentPrincipal, registry: OpenRegistry) -> NoContent:
    """The token that was sent is refused from the next request on, and so are those that it replaced or that replaced it."""
    registry.tokens.revoke(principal.token_id, _mandate_of_holder(principal, "its holder closes it"))
    return NoContent()


def _quota_of(settings: ApiSettings) -> DailyQuota:
    return DailyQuota(rows=settings.quota_rows, bytes=settings.quota_bytes)


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
