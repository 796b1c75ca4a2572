"""/v1/admin/session and /v1/admin/sessions: the session of the caller, and every open one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.access.admins import AskingAdmin, by, may, private
from api.dependencies import OpenRegistry, only
from api.routes.admin.bodies import Act, body_of, described

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only())])
SEES, DECIDES = [Depends(may("read"))], [Depends(may("house"))]


@router.get("/session", summary="Who administers", dependencies=SEES)
async def session(admin: AskingAdmin) -> Response:
    """The admin, role and end of the session that is shown."""
    return private(
        {"admin": admin.admin, "role": admin.role, "session": admin.session, "expires": admin.expires}
    )


@router.post("/session/close", summary="Close the session", dependencies=SEES, openapi_extra=described(Act))
def close(
    admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Act, Depends(body_of(Act))]
) -> Response:
    """The session opens nothing from the next request on."""
    registry.admins.close_session(admin.session, by(admin, given.reason))
    return private({"session": admin.session})


@router.get("/sessions", summary="Open sessions", dependencies=SEES)
def sessions(registry: OpenRegistry) -> Response:
    """The sessions that are open, the one that ends first first. Their identifiers open nothing."""
    return private({"sessions": [asdict(line) for line in registry.admins.sessions(datetime.now(UTC))]})


@router.post(
    "/sessions/{session}/close",
    summary="Close a session",
    dependencies=DECIDES,
    openapi_extra=described(Act),
)
def close_another(
    session: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Act, Depends(body_of(Act))]
) -> Response:
    """Another admin's session opens nothing from the next request on."""
    registry.admins.close_session(session, by(admin, given.reason))
    return private({"session": session})
