"""/v1/admin/session and /v1/admin/sessions: the session of the caller, and every open one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Response

from api.access.admins import AskingAdmin, by, may, private
from api.dependencies import OpenRegistry, only
from api.routes.admin.bodies import AdminRequest, ReasonOnly, request_body

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only())])
MAY_READ, MAY_CHANGE = [Depends(may("read"))], [Depends(may("house"))]


@router.get("/session", summary="Who administers", dependencies=MAY_READ)
async def session(admin: AskingAdmin) -> Response:
    """The admin, role and end of the session that is shown."""
    return private(
        {"admin": admin.admin, "role": admin.role, "session": admin.session, "expires": admin.expires}
    )


@router.post(
    "/session/close",
    summary="Close the session",
    dependencies=MAY_READ,
    openapi_extra=request_body(AdminRequest),
)
def close(admin: AskingAdmin, registry: OpenRegistry, body: ReasonOnly) -> Response:
    """The session opens nothing from the next request on."""
    registry.admins.close_session(admin.session, by(admin, body.reason))
    return private({"session": admin.session})


@router.get("/sessions", summary="Open sessions", dependencies=MAY_READ)
def sessions(registry: OpenRegistry) -> Response:
    """The sessions that are open, the one that ends first first. Their identifiers open nothing."""
    return private({"sessions": [asdict(line) for line in registry.admins.sessions(datetime.now(UTC))]})


@router.post(
    "/sessions/{session}/close",
    summary="Close a session",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminRequest),
)
def close_another(session: str, admin: AskingAdmin, registry: OpenRegistry, body: ReasonOnly) -> Response:
    """Another admin's session opens nothing from the next request on."""
    registry.admins.close_session(session, by(admin, body.reason))
    return private({"session": session})
