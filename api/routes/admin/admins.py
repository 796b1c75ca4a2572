"""/v1/admin/admins and /v1/admin/pending: admins and their roles, and changes that wait for another person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry, only_parameters
from api.http.responses import no_store_response
from api.routes.admin.bodies import AdminRequest, ReasonOnly, Text, json_body, request_body
from api.spec.path_parameters import example
from auth.db.admin_models import Admin

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only_parameters())])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("administration"))]


class RoleChange(AdminRequest):
    """The new role of an admin: auditor, issuer, registrar or owner."""

    role: Text


class AdminDetails(AdminRequest):
    """An admin. The role is auditor, issuer, registrar or owner."""

    name: Text
    email: Text
    role: Text


@router.get("/admins", summary="Admins", dependencies=MAY_READ)
def admins(registry: OpenRegistry) -> Response:
    """Every admin, also those whose access has ended."""
    return no_store_response({"admins": [_admin_json(one) for one in registry.admins.list()]})


@router.post(
    "/admins",
    summary="Add an admin",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminDetails, name="An Auditor", email="auditor@example.org", role="auditor"),
)
def add(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[AdminDetails, Depends(json_body(AdminDetails))],
) -> Response:
    """Give somebody a role, also somebody who was an admin before. A session can be opened only on the registry's host."""
    return no_store_response(
        _admin_json(registry.admins.add(body.name, body.email, body.role, mandate_for(admin, body.reason)))
    )


@router.post(
    "/admins/{name}/end",
    summary="End an admin's access",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminRequest),
)
def end(
    name: Annotated[str, example("leaver@example.org")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: ReasonOnly,
) -> Response:
    """The admin's sessions are refused from the next request on."""
    return no_store_response(_admin_json(registry.admins.end(name, mandate_for(admin, body.reason))))


@router.post(
    "/admins/{name}/role",
    summary="Change an admin's role",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(RoleChange, role="issuer"),
)
def change(
    name: Annotated[str, example("mover@example.org")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[RoleChange, Depends(json_body(RoleChange))],
) -> Response:
    """The new role applies from the next request on. Consents that this admin gave as the first of two persons lapse."""
    return no_store_response(
        _admin_json(registry.admins.change_role(name, body.role, mandate_for(admin, body.reason)))
    )


@router.get("/pending", summary="Changes that wait for another person", dependencies=MAY_READ)
def pending(registry: OpenRegistry) -> Response:
    """Every consent to an action that waits for another person or for the host that builds."""
    found = registry.consents.list_pending(datetime.now(UTC))
    return no_store_response(
        {"pending": [{"act": c.act, "subject": c.subject, "by": c.actor, "at": c.at} for c in found]}
    )


def _admin_json(admin: Admin) -> dict[str, object]:
    return {
        "admin": admin.id, "name": admin.name, "email": admin.email, "role": admin.role, "since": admin.since,
        "ended": admin.ended,
    }  # fmt: skip
