"""GET /v1: the overview of the service, with links to everything else."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from api.dependencies import PublishedReleases, SettingsOf, only_parameters
from api.http.responses import json_response
from datasets.catalogue import DATASETS

ARCHITECTURE = (
    "Raw events never reach this service. Once a month an offline build bounds what each person contributes, measures a "
    "lattice of marginals under zero-concentrated differential privacy, writes the spend to a ledger and publishes an "
    "immutable, signed release. Answers are read from releases alone; the same question has the same answer for everybody."
)
"""How the data are produced, for researchers (Delegated Regulation (EU) 2025/2050, recital 28)."""

router = APIRouter(tags=["service"], dependencies=[Depends(only_parameters())])


@router.get("/v1", summary="What this service is")
async def service(request: Request, settings: SettingsOf, releases: PublishedReleases) -> Response:
    """Contact, portal, datasets with their current releases, rate limits and links. No token needed."""
    return json_response(
        request,
        {
            "title": "Daylight: anonymised aggregates for vetted researchers",
            "law": "Regulation (EU) 2022/2065, Art. 40; Delegated Regulation (EU) 2025/2050",
            "architecture": ARCHITECTURE,
            "publisher": settings.publisher,
            "contact": settings.contact,
            "portal": settings.portal_url,
            "datasets": [
                {
                    "name": dataset.name,
                    "title": dataset.title,
                    "releases": [release.name for release in releases.current(dataset.name)],
                    "links": {
                        "self": f"/v1/datasets/{dataset.name}",
                        "codebook": f"/v1/datasets/{dataset.name}/codebook",
                        "aggregates": f"/v1/datasets/{dataset.name}/aggregates",
                    },
                }
                for dataset in DATASETS
            ],
            "limits": {
                "open": settings.limit_open,
                "standard": settings.limit_standard,
                "extended": settings.limit_extended,
                "files": settings.limit_files,
            },
            "degraded": list(releases.degraded),
            "links": {
                "datasets": "/v1/datasets",
                "code_lists": "/v1/codelists",
                "releases": "/v1/releases",
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
            },
        },
    )
