"""/v1/admin/tokens: issue, list, replace and revoke tokens, and reduce their scopes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends
from pydantic import Field

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry
from api.http.body import JsonBody
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS, OptionalText, example, text_parameter
from api.http.responses import NoStore
from api.http.router import Router
from api.routes.admin.bodies import AdminRequest, ReasonOnly, Text
from auth.scopes import parse_scopes
from auth.tokens.issuing import DEFAULT_DAYS, NewToken
from auth.tokens.rotation import DEFAULT_OVERLAP

TokenId = Annotated[str, example("tok_aaaaaaaaaaaaaaaaaaaaaaaaaa")]

router = Router(prefix="/v1/admin/tokens", tags=["admin"], dependencies=[DECLARED_PARAMETERS])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("tokens"))]


class TokenRequest(AdminRequest):
    """A token for a member of a project. A repeated request with the same idempotency key does not issue a second token."""

    project: Annotated[Text, Field(examples=["EX-1"])]
    researcher: Annotated[Text, Field(examples=["researcher@example.org"])]
    scopes: Text | None = None
    days: int = DEFAULT_DAYS
    label: Annotated[str, Field(max_length=200)] = ""
    idempotency_key: Text | None = None


class RotationRequest(AdminRequest):
    """For how many hours the old token stays valid."""

    overlap_hours: Annotated[float, Field(ge=0, le=168, allow_inf_nan=False, examples=[1])] = (
        DEFAULT_OVERLAP / timedelta(hours=1)
    )


class NarrowedScopes(AdminRequest):
    """The scopes that the token keeps."""

    scopes: Annotated[Text, Field(examples=["moderation:read"])]


class TokenDocument(Document):
    """Everything that is known about a token, except its text."""

    token_id: str
    project: str
    researcher: str
    scopes: str
    """With one space between."""
    label: str
    issued: datetime
    expires: datetime
    last_used: datetime | None
    state: str
    """active, not yet, expired, revoked or replaced; or `project ` and the project's status, if the project is not active."""
    replaced: bool
    """Whether another token was issued to replace it."""
    family: str
    """The first token of its chain of rotations. If one token of a family is revoked, all of them are."""


class TokenDocuments(Document):
    """Tokens, the latest first."""

    tokens: list[TokenDocument]


class ShownToken(Document):
    """A token as it is shown once."""

    token: Annotated[str, Field(validation_alias="text")]
    """Its text, which is not stored."""
    token_id: str
    expires: datetime
    again: bool
    """Whether this is a token that was issued before with the same idempotency key, and was never used."""


class RevokedTokens(Document):
    """The token that was named, and every token that was closed."""

    token_id: str
    was_open: bool
    """Whether the token that was named was not revoked before."""
    closed: tuple[str, ...]
    """Tokens that were not revoked before: the named one first, then from the first issued to the last."""


class NarrowedToken(Document):
    """A token, and the scopes that it keeps."""

    token_id: str
    scopes: list[str]


@router.get("", summary="Tokens", dependencies=MAY_READ)
def tokens(
    registry: OpenRegistry,
    project: Annotated[
        OptionalText, text_parameter("Only tokens of this project, by its reference.", "EX-1")
    ] = None,
) -> NoStore[TokenDocuments]:
    """Every token, or those of one `project`, the latest first. The text of a token is not stored and not shown."""
    found = registry.tokens.list(datetime.now(UTC), project)
    return NoStore(TokenDocuments(tokens=[TokenDocument.of(line) for line in found]))


@router.get("/{token}", summary="One token", dependencies=MAY_READ)
def token(token: TokenId, registry: OpenRegistry) -> NoStore[TokenDocument]:
    """Everything that is known about one token, except its text."""
    return NoStore(TokenDocument.of(registry.tokens.find(token, datetime.now(UTC))))


@router.post("", summary="Issue a token", dependencies=MAY_CHANGE)
def issue(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[TokenRequest, Depends(JsonBody(TokenRequest))],
) -> NoStore[ShownToken]:
    """Issue a token. Its text is shown only in this response: it is not stored."""
    scopes = parse_scopes(body.scopes) if body.scopes else frozenset[str]()
    new = NewToken(body.project, body.researcher, scopes, body.days, body.label, body.idempotency_key)
    return NoStore(ShownToken.of(registry.tokens.issue(new, mandate_for(admin, body.reason))))


@router.post("/{token}/revoke", summary="Revoke a token", dependencies=MAY_CHANGE)
def revoke(
    token: TokenId, admin: CurrentAdmin, registry: OpenRegistry, body: ReasonOnly
) -> NoStore[RevokedTokens]:
    """The token is refused from the next request on, and so are the tokens that it replaced or that replaced it.

    `closed` lists every token that this request closed, also if the one that is named was revoked or had expired before.
    """
    return NoStore(RevokedTokens.of(registry.tokens.revoke(token, mandate_for(admin, body.reason))))


@router.post("/{token}/rotate", summary="Replace a token", dependencies=MAY_CHANGE)
def rotate(
    token: TokenId,
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[RotationRequest, Depends(JsonBody(RotationRequest))],
) -> NoStore[ShownToken]:
    """Issue a token that replaces this one, which stays valid for `overlap_hours`.

    The text of the new token is shown only in this response.
    """
    overlap = timedelta(hours=body.overlap_hours)
    return NoStore(ShownToken.of(registry.tokens.rotate(token, overlap, mandate_for(admin, body.reason))))


@router.post("/{token}/narrow", summary="Reduce the scopes of a token", dependencies=MAY_CHANGE)
def narrow(
    token: TokenId,
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[NarrowedScopes, Depends(JsonBody(NarrowedScopes))],
) -> NoStore[NarrowedToken]:
    """Remove scopes from a token, and from those that it replaced and that are still valid. Their texts stay the same.

    A token that was replaced is refused; `detail` names the current token of its chain of rotations.
    """
    scopes = parse_scopes(body.scopes)
    token_id = registry.tokens.narrow(token, scopes, mandate_for(admin, body.reason))
    return NoStore(NarrowedToken(token_id=token_id, scopes=sorted(scopes)))
