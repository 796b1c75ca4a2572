"""/v1/admin/admins and /v1/admin/pending: who administers, under which role, and what needs a second admin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.access.admins import AskingAdmin, by, may, private
from api.dependencies import OpenRegistry, only
from api.routes.admin.bodies import Act, Text, body_of, described
from auth.db.admin_models import Admin

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only())])
SEES, DECIDES = [Depends(may("read"))], [Depends(may("house"))]


class Role(Act):
    """The role of an admin: one of auditor, issuer, registrar, owner."""

    role: Text


class New(Act):
    """An admin; the role is one of auditor, issuer, registrar, owner."""

    name: Text
    email: Text
    role: Text


@router.get("/admins", summary="Admins", dependencies=SEES)
def admins(registry: OpenRegistry) -> Response:
    """Everybody who administers or did."""
    return private({"admins": [_said(one) for one in registry.admins.list()]})


@router.post(
    "/admins",
    summary="Add an admin",
    dependencies=DECIDES,
    openapi_extra=described(New, name="An Auditor", email="auditor@example.org", role="auditor"),
)
def add(admin: AskingAdmin, registry: OpenRegistry, given: Annotated[New, Depends(body_of(New))]) -> Response:
    """Let somebody administer, or again who did before. Sessions are opened on the registry's host alone."""
    return private(_said(registry.admins.add(given.name, given.email, given.role, by(admin, given.reason))))


@router.post("/admins/{name}/end", summary="End an admin", dependencies=DECIDES, openapi_extra=described(Act))
def end(
    name: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Act, Depends(body_of(Act))]
) -> Response:
    """Their sessions open nothing from the next request on."""
    return private(_said(registry.admins.end(name, by(admin, given.reason))))


@router.post(
    "/admins/{name}/role",
    summary="Give an admin another role",
    dependencies=DECIDES,
    openapi_extra=described(Role, role="issuer"),
)
def change(
    name: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Role, Depends(body_of(Role))]
) -> Response:
    """It holds from the next request on; what they agreed to as the first of two lapses."""
    return private(_said(registry.admins.change(name, given.role, by(admin, given.reason))))


@router.get("/pending", summary="What waits for a second person", dependencies=SEES)
def pending(registry: OpenRegistry) -> Response:
    """What one person has agreed to and another has not yet."""
    found = registry.admins.waiting(datetime.now(UTC))
    return private(
        {"pending": [{"act": c.act, "subject": c.subject, "by": c.actor, "at": c.at} for c in found]}
    )


def _said(admin: Admin) -> dict[str, object]:
    return {
        "admin": admin.id, "name": admin.name, "email": admin.email, "role": admin.role, "since": admin.since,
        "ended": admin.ended,
    }  # fmt: skip
