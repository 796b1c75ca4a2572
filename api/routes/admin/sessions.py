"""/v1/admin/session and /v1/admin/sessions: the caller's session, and all open sessions."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry, only_parameters
from api.http.responses import no_store_response
from api.routes.admin.bodies import AdminRequest, ReasonOnly, request_body
from api.spec.path_parameters import example

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only_parameters())])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("administration"))]


@router.get("/session", summary="The current session", dependencies=MAY_READ)
async def session(admin: CurrentAdmin) -> Response:
    """The admin, the role and the end of the session whose token was sent."""
    return no_store_response(
        {"admin": admin.admin, "role": admin.role, "session": admin.session, "expires": admin.expires}
    )


@router.post(
    "/session/close",
    summary="Close the current session",
    dependencies=MAY_READ,
    openapi_extra=request_body(AdminRequest),
)
def close(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: ReasonOnly,
) -> Response:
    """The session is refused from the next request on."""
    registry.sessions.close(admin.session, mandate_for(admin, body.reason))
    return no_store_response({"session": admin.session})


@router.get("/sessions", summary="Open sessions", dependencies=MAY_READ)
def sessions(registry: OpenRegistry) -> Response:
    """Every open session, ordered by its end. An identifier is not a token: it gives no access."""
    return no_store_response(
        {"sessions": [asdict(line) for line in registry.sessions.list(datetime.now(UTC))]}
    )


@router.post(
    "/sessions/{session}/close",
    summary="Close a session",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminRequest),
)
def close_another(
    session: Annotated[str, example("tok_bbbbbbbbbbbbbbbbbbbbbbbbbb")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: ReasonOnly,
) -> Response:
    """Close another admin's session: it is refused from the next request on."""
    registry.sessions.close(session, mandate_for(admin, body.reason))
    return no_store_response({"session": session})
