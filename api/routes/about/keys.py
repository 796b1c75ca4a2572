"""GET /.well-known/jwks.json: the public keys that verify the signatures of tokens and releases (RFC 7517)."""

from __future__ import annotations

from typing import Literal

from fastapi import Request

from api.access.registry_calls import call_registry
from api.dependencies import OpenRegistry
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS
from api.http.responses import Json
from api.http.router import Router, raises
from auth.errors import RegistryUnavailable

router = Router(tags=["keys"], dependencies=[DECLARED_PARAMETERS])


class PublicKey(Document):
    """A public key as a JWK (RFC 7517; RFC 7518, section 6.2)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str
    alg: Literal["ES256"]
    use: Literal["sig"]


class KeySet(Document):
    """The public keys."""

    keys: list[PublicKey]


@router.get("/.well-known/jwks.json", summary="Public keys")
@raises(RegistryUnavailable)
async def keys(request: Request, registry: OpenRegistry) -> Json[KeySet]:
    """The keys that verify the signatures of manifests, the ledger and tokens, as a JWK set (RFC 7517). No token needed."""
    found = await call_registry(request, registry.keys.jwks)
    return Json(request, KeySet.model_validate(found))
