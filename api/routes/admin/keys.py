"""/v1/admin/keys: list, rotate and revoke signing keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry, only_parameters
from api.http.responses import no_store_response
from api.routes.admin.bodies import AdminRequest, ReasonOnly, request_body
from api.spec.path_parameters import example
from auth.crypto.keys import Purpose

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only_parameters())])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("administration"))]


@router.get("/keys", summary="Signing keys", dependencies=MAY_READ)
def keys(registry: OpenRegistry) -> Response:
    """Every signing key with its purpose and its status: next, active, retired or revoked."""
    found = registry.keys.list()
    return no_store_response(
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
def rotate(
    purpose: Annotated[Purpose, example("token")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: ReasonOnly,
) -> Response:
    """The next key signs from now on. What the old key signed stays valid."""
    return no_store_response({"kid": registry.keys.rotate(purpose, mandate_for(admin, body.reason))})


@router.post(
    "/keys/{kid}/revoke",
    summary="Revoke a key",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminRequest),
)
def revoke(
    kid: Annotated[str, example("0123456789abcdef")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: ReasonOnly,
) -> Response:
    """For an emergency: what this key signed is refused from the next request on, and its successor signs at once."""
    return no_store_response(
        {"kid": kid, "successor": registry.keys.revoke(kid, mandate_for(admin, body.reason))}
    )
