"""On whose hand an act over HTTP is done, what it needs, and how it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request, Response

from api.http.media import FORMATS
from auth.admins.accounts import AdminPrincipal
from auth.admins.roles import Right, ensure_may
from auth.audit.log import Mandate
from auth.validation import ensure_text

NO_STORE = {"Cache-Control": "no-store"}


def require_right(right: Right) -> Callable[[Request], Awaitable[None]]:
    """A dependency behind admission. Raises RoleTooSmall."""

    async def ensured(request: Request) -> None:
        ensure_may(request.state.admin.role, right)

    return ensured


async def current_admin(request: Request) -> AdminPrincipal:
    """The admin who was let in."""
    admin: AdminPrincipal = request.state.admin
    return admin


def mandate_for(admin: AdminPrincipal, reason: str) -> Mandate:
    """In the audit an admin is an identifier: names can be forgotten, the audit cannot. Raises MalformedValue."""
    return Mandate(f"admin:{admin.admin}", ensure_text("reason", reason), datetime.now(UTC))


def no_store_response(body: dict[str, Any], status: int = 200) -> Response:
    """An answer that nobody may keep."""
    return Response(orjson.dumps(body), status, NO_STORE, FORMATS["json"])


def approval_pending_response() -> Response:
    """The answer where another person must agree first."""
    return no_store_response({"waits_for": "another person"}, 202)


CurrentAdmin = Annotated[AdminPrincipal, Depends(current_admin)]
