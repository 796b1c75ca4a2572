"""GET /v1/projects: the public summary of every project that was given access."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request, Response

from api.access.registry_calls import call_registry
from api.dependencies import OpenRegistry, only_parameters
from api.http.responses import json_response

router = APIRouter(prefix="/v1", tags=["service"], dependencies=[Depends(only_parameters())])


@router.get("/projects", summary="Approved projects")
async def projects(request: Request, registry: OpenRegistry) -> Response:
    """A summary of each reasoned request that was approved: reference, coordinator, purpose, datasets, period and status.

    It names no person (Delegated Regulation (EU) 2025/2050, Art. 10 and 11). No token needed.
    """
    found = await call_registry(request, registry.projects.summaries, datetime.now(UTC))
    return json_response(request, {"projects": [asdict(summary) for summary in found]})
