"""GET /v1/ledger: the published privacy ledger, with the privacy loss spent on each month."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from api.access.registry_calls import call_registry
from api.dependencies import OpenRegistry, PublishedReleases, only_parameters
from api.http.media import FORMATS
from api.http.responses import json_response, response_with_etag
from datasets.privacy.ledger import GENESIS
from datasets.release.format.ledger import entries_of, published_ledger

router = APIRouter(prefix="/v1", tags=["changes"], dependencies=[Depends(only_parameters())])


@router.get("/ledger", summary="The privacy ledger")
async def ledger(request: Request, releases: PublishedReleases, registry: OpenRegistry) -> Response:
    """The privacy ledger as last published: caps, every entry of the hash chain, its head, and the rho spent on each month.

    The body is the bytes that were signed. The detached signature (ES256, RFC 7515, appendix F) is in the header
    `Document-Signature`. No token needed.
    """
    found = await call_registry(
        request, published_ledger, releases.store.directory, registry.keys.release_verifier()
    )
    if found is None:
        return json_response(request, {"caps": {}, "head": GENESIS, "rho_spent": {}, "entries": []})
    entries_of(found)
    return response_with_etag(request, found.text, FORMATS["json"], {"Document-Signature": found.signature})
