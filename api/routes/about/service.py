"""GET /v1: the overview of the service, with links to everything else."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from pydantic import Field

from api.dependencies import PublishedReleases, SettingsOf
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS
from api.http.responses import Json
from api.http.router import Router
from api.settings import ApiSettings
from datasets.catalogue import DATASETS
from datasets.definition import Dataset
from datasets.release.releases import Releases

ARCHITECTURE = (
    "Raw events never reach this service. Once a month an offline build bounds what each person contributes, measures a "
    "lattice of marginals under zero-concentrated differential privacy, writes the spend to a ledger and publishes an "
    "immutable, signed release. Answers are read from releases alone; the same question has the same answer for everybody."
)
"""How the data are produced, for researchers (Delegated Regulation (EU) 2025/2050, recital 28)."""

LINKS = {
    "datasets": "/v1/datasets",
    "code_lists": "/v1/codelists",
    "releases": "/v1/releases",
    "reports": "/v1/reports",
    "projects": "/v1/projects",
    "me": "/v1/me",
    "changelog": "/v1/changelog",
    "errata": "/v1/errata",
    "ledger": "/v1/ledger",
    "openapi": "/openapi.json",
    "docs": "/docs",
    "problems": "/problems",
    "keys": "/.well-known/jwks.json",
    "health": "/healthz",
    "ready": "/readyz",
}

router = Router(tags=["service"], dependencies=[DECLARED_PARAMETERS])


class ServiceDataset(Document):
    """A dataset and its current releases."""

    name: str
    title: str
    releases: list[str]
    links: dict[str, str]


class ServiceLimits(Document):
    """Rate limits: without a token, for each tier of projects, and for files."""

    open: str
    standard: str
    extended: str
    files: str


class ServiceOverview(Document):
    """The service: who publishes, whom to contact, what there is."""

    title: str
    law: str
    architecture: str
    publisher: str
    contact: str
    portal: str
    datasets: list[ServiceDataset]
    limits: ServiceLimits
    degraded: Annotated[list[str], Field(description="Releases that are not served.")]
    links: dict[str, str]


@router.get("/v1", summary="What this service is")
async def service(
    request: Request, settings: SettingsOf, releases: PublishedReleases
) -> Json[ServiceOverview]:
    """Contact, portal, datasets with their current releases, rate limits and links. No token needed."""
    overview = ServiceOverview(
        title="Daylight: anonymised aggregates for vetted researchers",
        law="Regulation (EU) 2022/2065, Art. 40; Delegated Regulation (EU) 2025/2050",
        architecture=ARCHITECTURE,
        publisher=settings.publisher,
        contact=settings.contact,
        portal=settings.portal_url,
        datasets=[_service_dataset(dataset, releases) for dataset in DATASETS],
        limits=_service_limits(settings),
        degraded=list(releases.degraded),
        links=LINKS,
    )
    return Json(request, overview)


def _service_dataset(dataset: Dataset, releases: Releases) -> ServiceDataset:
    path = f"/v1/datasets/{dataset.name}"
    return ServiceDataset(
        name=dataset.name,
        title=dataset.title,
        releases=[release.name for release in releases.current(dataset.name)],
        links={"self": path, "codebook": f"{path}/codebook", "aggregates": f"{path}/aggregates"},
    )


def _service_limits(settings: ApiSettings) -> ServiceLimits:
    return ServiceLimits(
        open=settings.limit_open,
        standard=settings.limit_standard,
        extended=settings.limit_extended,
        files=settings.limit_files,
    )
