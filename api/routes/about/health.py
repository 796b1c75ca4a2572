"""GET /healthz and /readyz: whether the process runs, and whether the service can answer."""

from __future__ import annotations

from typing import Literal

from fastapi import Request
from pydantic import BaseModel

from api.access.registry_calls import call_registry
from api.dependencies import OpenRegistry, PublishedReleases
from api.http.document import Document, encode
from api.http.media import FORMATS
from api.http.parameters import DECLARED_PARAMETERS
from api.http.responses import DescribedResponse, Json, ResponseObjects, header_references
from api.http.router import Router, raises
from auth.errors import RegistryUnavailable
from datasets.release.releases import Releases

router = Router(tags=["health"], dependencies=[DECLARED_PARAMETERS])


Status = Literal["ok", "registry unavailable", "releases unavailable"]


class Health(Document):
    """The process runs."""

    status: Literal["ok"]


class Readiness(Document):
    """Whether the registry answers and a release is served, and the releases that are not."""

    status: Status
    degraded: list[str]


class ReadinessResponse(DescribedResponse):
    """200 if the service can answer, 503 if not."""

    media_type = FORMATS["json"]

    def __init__(self, readiness: Readiness) -> None:
        if readiness.status == "ok":
            super().__init__(encode(readiness))
        else:
            super().__init__(encode(readiness), 503, {"Retry-After": "5"})

    @classmethod
    def describe(cls, model: type[BaseModel] | None = None) -> ResponseObjects:
        unavailable = {
            "description": "The registry does not answer, or all releases are degraded.",
            "headers": header_references(["Retry-After"]),
            "model": Readiness,
        }
        return {**super().describe(Readiness), 503: unavailable}


@router.get("/healthz", summary="Whether the process runs")
async def alive(request: Request) -> Json[Health]:
    """200 as long as the process answers requests. It checks nothing else."""
    return Json(request, Health(status="ok"))


@router.get("/readyz", summary="Whether the service can answer")
@raises(RegistryUnavailable)
async def ready(request: Request, registry: OpenRegistry, releases: PublishedReleases) -> ReadinessResponse:
    """200 if questions can be answered. 503 if the registry does not answer, so no token can be checked, or if releases are
    degraded and no month of any dataset can be served.

    `degraded` lists the releases that are not served.
    """
    try:
        up = await call_registry(request, registry.is_up)
    except RegistryUnavailable:
        up = False
    status: Status = _state_of(releases) if up else "registry unavailable"
    return ReadinessResponse(Readiness(status=status, degraded=list(releases.degraded)))


def _state_of(releases: Releases) -> Literal["ok", "releases unavailable"]:
    """Before the first release nothing is wrong."""
    served = any(map(releases.current, releases.store.datasets))
    return "ok" if served or not releases.degraded else "releases unavailable"
