"""/v1/admin/admins and /v1/admin/pending: admins and their roles, and changes that wait for another person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends
from pydantic import Field

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry
from api.http.body import JsonBody
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS, example
from api.http.responses import NoStore
from api.http.router import Router
from api.routes.admin.bodies import AdminRequest, ReasonOnly, Text
from auth.admins.roles import ROLES

router = Router(prefix="/v1/admin", tags=["admin"], dependencies=[DECLARED_PARAMETERS])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("administration"))]


class RoleChange(AdminRequest):
    """The new role of an admin: auditor, issuer, registrar or owner."""

    role: Annotated[Text, Field(examples=["issuer"])]


class NewAdmin(AdminRequest):
    """An admin. The role is auditor, issuer, registrar or owner."""

    name: Annotated[Text, Field(examples=["An Auditor"])]
    email: Annotated[Text, Field(examples=["auditor@example.org"])]
    role: Annotated[Text, Field(examples=["auditor"])]


class AdminDocument(Document):
    """An admin, the role, and since when; `ended` says when the access ended, if it did."""

    admin: Annotated[str, Field(validation_alias="id")]
    name: str
    email: str
    role: Annotated[str, Field(json_schema_extra={"enum": list(ROLES)})]
    since: datetime
    ended: datetime | None


class AdminList(Document):
    """Every admin."""

    admins: list[AdminDocument]


class PendingChange(Document):
    """A consent that was given to an action, and waits for that of another person or for the host that builds."""

    act: str
    subject: str
    by: Annotated[str, Field(validation_alias="actor")]
    at: datetime


class PendingChanges(Document):
    """Every change that waits."""

    pending: list[PendingChange]


@router.get("/admins", summary="Admins", dependencies=MAY_READ)
def admins(registry: OpenRegistry) -> NoStore[AdminList]:
    """Every admin, also those whose access has ended."""
    return NoStore(AdminList(admins=[AdminDocument.of(row) for row in registry.admins.list()]))


@router.post("/admins", summary="Add an admin", dependencies=MAY_CHANGE)
def add(
    admin: CurrentAdmin, registry: OpenRegistry, body: Annotated[NewAdmin, Depends(JsonBody(NewAdmin))]
) -> NoStore[AdminDocument]:
    """Give somebody a role, also somebody who was an admin before. A session can be opened only on the registry's host."""
    added = registry.admins.add(body.name, body.email, body.role, mandate_for(admin, body.reason))
    return NoStore(AdminDocument.of(added))


@router.post("/admins/{name}/end", summary="End an admin's access", dependencies=MAY_CHANGE)
def end(
    name: Annotated[str, example("leaver@example.org")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: ReasonOnly,
) -> NoStore[AdminDocument]:
    """The admin's sessions are refused from the next request on."""
    return NoStore(AdminDocument.of(registry.admins.end(name, mandate_for(admin, body.reason))))


@router.post("/admins/{name}/role", summary="Change an admin's role", dependencies=MAY_CHANGE)
def change(
    name: Annotated[str, example("mover@example.org")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[RoleChange, Depends(JsonBody(RoleChange))],
) -> NoStore[AdminDocument]:
    """The new role applies from the next request on. Consents that this admin gave as the first of two persons lapse."""
    changed = registry.admins.change_role(name, body.role, mandate_for(admin, body.reason))
    return NoStore(AdminDocument.of(changed))


@router.get("/pending", summary="Changes that wait for another person", dependencies=MAY_READ)
def pending(registry: OpenRegistry) -> NoStore[PendingChanges]:
    """Every consent to an action that waits for another person or for the host that builds."""
    found = registry.consents.list_pending(datetime.now(UTC))
    return NoStore(PendingChanges(pending=[PendingChange.of(consent) for consent in found]))
