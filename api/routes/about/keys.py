"""GET /.well-known/jwks.json: the public keys that verify the signatures of tokens and releases (RFC 7517)."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from api.access.registry_calls import call_registry
from api.dependencies import OpenRegistry, only_parameters
from api.http.responses import json_response

router = APIRouter(tags=["keys"], dependencies=[Depends(only_parameters())])


@router.get("/.well-known/jwks.json", summary="Public keys")
async def keys(request: Request, registry: OpenRegistry) -> Response:
    """The keys that verify the signatures of manifests, the ledger and tokens, as a JWK set (RFC 7517). No token needed."""
    return json_response(request, await call_registry(request, registry.keys.jwks))
