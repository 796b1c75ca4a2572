"""/v1/admin/keys: list, rotate and revoke signing keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Depends

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS, example
from api.http.responses import NoStore
from api.http.router import Router
from api.routes.admin.bodies import ReasonOnly
from auth.crypto.keys import Purpose

router = Router(prefix="/v1/admin", tags=["admin"], dependencies=[DECLARED_PARAMETERS])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("administration"))]


class KeyDocument(Document):
    """A signing key."""

    kid: str
    purpose: str
    """What it signs: token or release."""
    status: str
    """next, active, retired or revoked."""
    created: datetime


class KeyList(Document):
    """Every signing key."""

    keys: list[KeyDocument]


class RotatedKey(Document):
    """The key that signs from now on."""

    kid: str


class RevokedKey(Document):
    """The key that was revoked, and the one that signs in its place."""

    kid: str
    successor: str | None


@router.get("/keys", summary="Signing keys", dependencies=MAY_READ)
def keys(registry: OpenRegistry) -> NoStore[KeyList]:
    """Every signing key with its purpose and its status: next, active, retired or revoked."""
    return NoStore(KeyList(keys=[KeyDocument.of(key) for key in registry.keys.list()]))


@router.post("/keys/{purpose}/rotate", summary="Rotate a key", dependencies=MAY_CHANGE)
def rotate(
    purpose: Annotated[Purpose, example("token")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: ReasonOnly,
) -> NoStore[RotatedKey]:
    """The next key signs from now on. What the old key signed stays valid."""
    return NoStore(RotatedKey(kid=registry.keys.rotate(purpose, mandate_for(admin, body.reason))))


@router.post("/keys/{kid}/revoke", summary="Revoke a key", dependencies=MAY_CHANGE)
def revoke(
    kid: Annotated[str, example("0123456789abcdef")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: ReasonOnly,
) -> NoStore[RevokedKey]:
    """For an emergency: what this key signed is refused from the next request on, and its successor signs at once."""
    successor = registry.keys.revoke(kid, mandate_for(admin, body.reason))
    return NoStore(RevokedKey(kid=kid, successor=successor))
