"""GET /v1/projects: the public summary of every project that was given access."""

from __future__ import annotations

from datetime import UTC, date, datetime

from fastapi import Request

from api.access.registry_calls import call_registry
from api.dependencies import OpenRegistry
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS
from api.http.responses import Json
from api.http.router import Router, raises
from auth.errors import RegistryUnavailable

router = Router(prefix="/v1", tags=["service"], dependencies=[DECLARED_PARAMETERS])


class PublicProject(Document):
    """A project without its persons: reference, coordinator, purpose, datasets, period and status."""

    reference: str
    dsc: str
    purpose: str
    datasets: tuple[str, ...]
    modality: str
    first_day: date
    end: datetime
    status: str
    versions: int


class PublicProjects(Document):
    """Every project that was given access."""

    projects: list[PublicProject]


@router.get("/projects", summary="Approved projects")
@raises(RegistryUnavailable)
async def projects(request: Request, registry: OpenRegistry) -> Json[PublicProjects]:
    """A summary of each reasoned request that was approved: reference, coordinator, purpose, datasets, period and status.

    It names no person (Delegated Regulation (EU) 2025/2050, Art. 10 and 11). No token needed.
    """
    found = await call_registry(request, registry.projects.summaries, datetime.now(UTC))
    return Json(request, PublicProjects(projects=[PublicProject.of(summary) for summary in found]))
