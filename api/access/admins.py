"""Requests of admins: the right each needs, the mandate under which the audit records it, and answers that are not cached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from api.http.document import Document
from api.http.responses import Accepted
from auth.admins.roles import Right, ensure_has_right
from auth.admins.sessions import AdminPrincipal
from auth.audit.chain import Mandate
from auth.validation import ensure_text


def require_right(right: Right) -> Callable[[Request], Awaitable[None]]:
    """A dependency that runs after admission. It raises RoleTooSmall if the admin's role lacks the right."""

    async def ensure_right(request: Request) -> None:
        ensure_has_right(request.state.admin.role, right)

    return ensure_right


async def current_admin(request: Request) -> AdminPrincipal:
    """The admin that admission has authenticated."""
    admin: AdminPrincipal = request.state.admin
    return admin


def mandate_for(admin: AdminPrincipal, reason: str) -> Mandate:
    """The admin, by identifier, and the reason for the audit log: names can be erased, entries of the log cannot.

    Raises MalformedValue if the reason is empty or too long.
    """
    return Mandate(f"admin:{admin.admin}", ensure_text("reason", reason), datetime.now(UTC))


class WaitingChange(Document):
    """What a change waits for before it takes effect."""

    waits_for: str


def consent_pending_response() -> Accepted[WaitingChange]:
    """The answer if the consent of another person is needed first."""
    return Accepted(WaitingChange(waits_for="another person"))


CurrentAdmin = Annotated[AdminPrincipal, Depends(current_admin)]
