"""/v1/admin/keys: list, rotate and revoke signing keys."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from api.access.admins import AskingAdmin, by, may, private
from api.dependencies import OpenRegistry, only
from api.routes.admin.bodies import AdminRequest, ReasonOnly, request_body
from auth.crypto.keys import Purpose

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only())])
MAY_READ, MAY_CHANGE = [Depends(may("read"))], [Depends(may("house"))]


@router.get("/keys", summary="Keys", dependencies=MAY_READ)
def keys(registry: OpenRegistry) -> Response:
    """Every key by purpose: next, active, retired or revoked."""
    found = registry.list_keys()
    return private(
        {
            "keys": [
                {"kid": k.kid, "purpose": k.purpose, "status": k.status, "created": k.created} for k in found
            ]
        }
    )


@router.post(
    "/keys/{purpose}/rotate",
    summary="Rotate a key",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminRequest),
)
def rotate(purpose: Purpose, admin: AskingAdmin, registry: OpenRegistry, body: ReasonOnly) -> Response:
    """The next key signs from now on; what the old one signed stays valid."""
    return private({"kid": registry.rotate_key(purpose, by(admin, body.reason))})


@router.post(
    "/keys/{kid}/revoke",
    summary="Revoke a key",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminRequest),
)
def revoke(kid: str, admin: AskingAdmin, registry: OpenRegistry, body: ReasonOnly) -> Response:
    """In an emergency: whatever this key signed is refused from the next request on, and another signs at once."""
    return private({"kid": kid, "successor": registry.revoke_key(kid, by(admin, body.reason))})
