"""GET /v1/projects: who was given access, as the public may know it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request, Response

from api.access.registry_calls import call_registry
from api.dependencies import OpenRegistry, only_parameters
from api.http.responses import json_response

router = APIRouter(prefix="/v1", tags=["service"], dependencies=[Depends(only_parameters())])


@router.get("/projects", summary="Who was given access")
async def projects(request: Request, registry: OpenRegistry) -> Response:
    """A summary of each reasoned request that was granted: reference, coordinator, purpose, datasets, period, status.

    It names no person (Delegated Regulation (EU) 2025/2050, Art. 10 and 11). Open to all.
    """
    found = await call_registry(request, registry.projects.summaries, datetime.now(UTC))
    return json_response(request, {"projects": [asdict(summary) for summary in found]})
