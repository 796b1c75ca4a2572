"""/v1/admin/keys: list, rotate and revoke signing keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.access.admins import AskingAdmin, by, may, private
from api.dependencies import OpenRegistry, only
from api.routes.admin.bodies import Act, body_of, described
from auth.crypto.keys import Purpose

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only())])
SEES, DECIDES = [Depends(may("read"))], [Depends(may("house"))]


@router.get("/keys", summary="Keys", dependencies=SEES)
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
    "/keys/{purpose}/rotate", summary="Rotate a key", dependencies=DECIDES, openapi_extra=described(Act)
)
def rotate(
    purpose: Purpose, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Act, Depends(body_of(Act))]
) -> Response:
    """The next key signs from now on; what the old one signed stays valid."""
    return private({"kid": registry.rotate_key(purpose, by(admin, given.reason))})


@router.post("/keys/{kid}/revoke", summary="Revoke a key", dependencies=DECIDES, openapi_extra=described(Act))
def revoke(
    kid: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Act, Depends(body_of(Act))]
) -> Response:
    """In an emergency: whatever this key signed is refused from the next request on, and another signs at once."""
    return private({"kid": kid, "successor": registry.revoke_key(kid, by(admin, given.reason))})
