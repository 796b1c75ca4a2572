"""/v1/admin/session and /v1/admin/sessions: the caller's session, and all open sessions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS, example
from api.http.responses import NoStore
from api.http.router import Router
from api.routes.admin.bodies import ReasonOnly

router = Router(prefix="/v1/admin", tags=["admin"], dependencies=[DECLARED_PARAMETERS])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("administration"))]


class CurrentSession(Document):
    """The session whose token was sent."""

    admin: str
    role: str
    session: str
    """Its identifier, which is not a token: it gives no access."""
    expires: datetime


class SessionDocument(Document):
    """An open session."""

    session: str
    admin: str
    email: str
    role: str
    issued: datetime
    expires: datetime


class SessionList(Document):
    """Every open session."""

    sessions: list[SessionDocument]


class ClosedSession(Document):
    """The session that was closed."""

    session: str


@router.get("/session", summary="The current session", dependencies=MAY_READ)
async def session(admin: CurrentAdmin) -> NoStore[CurrentSession]:
    """The admin, the role and the end of the session whose token was sent."""
    return NoStore(CurrentSession.of(admin))


@router.post("/session/close", summary="Close the current session", dependencies=MAY_READ)
def close(admin: CurrentAdmin, registry: OpenRegistry, body: ReasonOnly) -> NoStore[ClosedSession]:
    """The session is refused from the next request on."""
    registry.sessions.close(admin.session, mandate_for(admin, body.reason))
    return NoStore(ClosedSession(session=admin.session))


@router.get("/sessions", summary="Open sessions", dependencies=MAY_READ)
def sessions(registry: OpenRegistry) -> NoStore[SessionList]:
    """Every open session, ordered by its end. An identifier is not a token: it gives no access."""
    found = registry.sessions.list(datetime.now(UTC))
    return NoStore(SessionList(sessions=[SessionDocument.of(line) for line in found]))


@router.post("/sessions/{session}/close", summary="Close a session", dependencies=MAY_CHANGE)
def close_another(
    session: Annotated[str, example("tok_bbbbbbbbbbbbbbbbbbbbbbbbbb")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: ReasonOnly,
) -> NoStore[ClosedSession]:
    """Close another admin's session: it is refused from the next request on."""
    registry.sessions.close(session, mandate_for(admin, body.reason))
    return NoStore(ClosedSession(session=session))
