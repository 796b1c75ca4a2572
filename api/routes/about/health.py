"""GET /healthz and /readyz: whether the process runs, and whether the service can answer."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Depends, Request, Response

from api.access.registry_calls import call_registry
from api.dependencies import OpenRegistry, PublishedReleases, only_parameters
from api.http.media import FORMATS
from api.http.responses import json_response
from auth.errors import RegistryUnavailable

router = APIRouter(tags=["health"], dependencies=[Depends(only_parameters())])


@router.get("/healthz", summary="Whether the process runs")
async def alive(request: Request) -> Response:
    """200 as long as the process answers requests. It checks nothing else."""
    return json_response(request, {"status": "ok"})


@router.get("/readyz", summary="Whether the service can answer")
async def ready(request: Request, registry: OpenRegistry, releases: PublishedReleases) -> Response:
    """200 if the registry answers; 503 if not, since then no token can be checked.

    `degraded` lists the releases that are not served.
    """
    try:
        up = await call_registry(request, registry.is_up)
    except RegistryUnavailable:
        up = False
    body = {"status": "ok" if up else "registry unavailable", "degraded": list(releases.degraded)}
    headers = {} if up else {"Retry-After": "5"}
    return Response(orjson.dumps(body), 200 if up else 503, headers, FORMATS["json"])
