"""/v1/admin/tokens: issue, list, replace and revoke tokens, and reduce their scopes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry, only_parameters
from api.http.responses import no_store_response
from api.routes.admin.bodies import AdminRequest, ReasonOnly, Text, json_body, request_body
from api.spec.path_parameters import example
from auth.scopes import parse_scopes
from auth.tokens.issuing import DEFAULT_DAYS, IssuedToken, NewToken
from auth.tokens.rotation import DEFAULT_OVERLAP

TokenId = Annotated[str, example("tok_aaaaaaaaaaaaaaaaaaaaaaaaaa")]

router = APIRouter(prefix="/v1/admin/tokens", tags=["admin"])
MAY_READ, MAY_CHANGE = (
    [Depends(require_right("read"))],
    [Depends(only_parameters()), Depends(require_right("tokens"))],
)


class TokenRequest(AdminRequest):
    """A token for a member of a project. A repeated request with the same idempotency key does not issue a second token."""

    project: Text
    researcher: Text
    scopes: Text | None = None
    days: int = DEFAULT_DAYS
    label: Annotated[str, Field(max_length=200)] = ""
    idempotency_key: Text | None = None


class RotationRequest(AdminRequest):
    """For how many hours the old token stays valid."""

    overlap_hours: Annotated[float, Field(ge=0, le=168, allow_inf_nan=False)] = DEFAULT_OVERLAP / timedelta(
        hours=1
    )


class NarrowedScopes(AdminRequest):
    """The scopes that the token keeps."""

    scopes: Text


@router.get("", summary="Tokens", dependencies=MAY_READ)
def tokens(
    registry: OpenRegistry, query: Annotated[dict[str, str], Depends(only_parameters("project"))]
) -> Response:
    """Every token, or those of one `project`, the latest first. The text of a token is not stored and not shown."""
    found = registry.tokens.list(datetime.now(UTC), query.get("project"))
    return no_store_response({"tokens": [asdict(line) for line in found]})


@router.get("/{token}", summary="One token", dependencies=[Depends(only_parameters()), *MAY_READ])
def token(token: TokenId, registry: OpenRegistry) -> Response:
    """Everything that is known about one token, except its text."""
    return no_store_response(asdict(registry.tokens.find(token, datetime.now(UTC))))


@router.post(
    "",
    summary="Issue a token",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(TokenRequest, project="EX-1", researcher="researcher@example.org"),
)
def issue(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[TokenRequest, Depends(json_body(TokenRequest))],
) -> Response:
    """Issue a token. Its text is shown only in this response: it is not stored."""
    scopes = parse_scopes(body.scopes) if body.scopes else frozenset[str]()
    new = NewToken(body.project, body.researcher, scopes, body.days, body.label, body.idempotency_key)
    return _token_json(registry.tokens.issue(new, mandate_for(admin, body.reason)))


@router.post(
    "/{token}/revoke",
    summary="Revoke a token",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminRequest),
)
def revoke(token: TokenId, admin: CurrentAdmin, registry: OpenRegistry, body: ReasonOnly) -> Response:
    """The token is refused from the next request on, and so are the tokens that it replaced or that replaced it.

    `closed` lists every token that this request closed, also if the one that is named was revoked or had expired before.
    """
    return no_store_response(asdict(registry.tokens.revoke(token, mandate_for(admin, body.reason))))


@router.post(
    "/{token}/rotate",
    summary="Replace a token",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(RotationRequest, overlap_hours=1),
)
def rotate(
    token: TokenId,
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[RotationRequest, Depends(json_body(RotationRequest))],
) -> Response:
    """Issue a token that replaces this one, which stays valid for `overlap_hours`.

    The text of the new token is shown only in this response.
    """
    return _token_json(
        registry.tokens.rotate(token, timedelta(hours=body.overlap_hours), mandate_for(admin, body.reason))
    )


@router.post(
    "/{token}/narrow",
    summary="Reduce the scopes of a token",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(NarrowedScopes, scopes="moderation:read"),
)
def narrow(
    token: TokenId,
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[NarrowedScopes, Depends(json_body(NarrowedScopes))],
) -> Response:
    """Remove scopes from a token. Its text stays the same."""
    token_id = registry.tokens.narrow(token, parse_scopes(body.scopes), mandate_for(admin, body.reason))
    return no_store_response({"token_id": token_id, "scopes": sorted(parse_scopes(body.scopes))})


def _token_json(issued: IssuedToken) -> Response:
    return no_store_response(
        {"token": issued.text, "token_id": issued.token_id, "expires": issued.expires, "again": issued.again}
    )
