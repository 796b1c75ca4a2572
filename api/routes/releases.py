"""GET /v1/releases: the current releases, the signed manifest of a release, and the difference between two."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from api.dependencies import NamedDataset, PublishedReleases, only_parameters
from api.http.media import FORMATS
from api.http.responses import json_response, response_with_etag
from api.query.resolve import find_release
from datasets.catalogue import DATASETS
from datasets.release.format import layout
from datasets.release.releases import Releases
from datasets.release.store.changelog import difference

router = APIRouter(prefix="/v1/releases", tags=["releases"], dependencies=[Depends(only_parameters())])


@router.get("", summary="Current releases of every dataset")
async def every(request: Request, releases: PublishedReleases) -> Response:
    """The current release of each month, for every dataset. No token needed."""
    return json_response(
        request, {"releases": [line for d in DATASETS for line in _current_releases(d.name, releases)]}
    )


@router.get("/{dataset}", summary="Current releases of one dataset")
async def of_dataset(request: Request, dataset: NamedDataset, releases: PublishedReleases) -> Response:
    """The current release of each month of this dataset. No token needed."""
    return json_response(request, {"releases": _current_releases(dataset.name, releases)})


@router.get("/{dataset}/{release}", summary="The manifest of a release")
async def manifest(
    request: Request, dataset: NamedDataset, release: str, releases: PublishedReleases
) -> Response:
    """The plan with every variance, the privacy loss, the kept shares, and the files with their hashes. No token needed.

    The body is the bytes that were signed. The detached signature (ES256, RFC 7515, appendix F) is in the header
    `Manifest-Signature`; its key is in `/.well-known/jwks.json`.
    """
    found = await find_release(releases, dataset.name, release)
    found.ensure_unchanged()
    signature = (found.folder / layout.SIGNATURE).read_text().strip()
    body = (found.folder / layout.MANIFEST).read_bytes()
    return response_with_etag(
        request, body, FORMATS["json"], {"Manifest-Signature": signature, "Data-Release": found.name}
    )


@router.get("/{dataset}/{release}/diff/{other}", summary="How two releases differ")
async def diff(
    request: Request, dataset: NamedDataset, release: str, other: str, releases: PublishedReleases
) -> Response:
    """What changed from one release to the other in code lists, measures, privacy loss, planned variances and source.

    No token needed.
    """
    one, another = [await find_release(releases, dataset.name, name) for name in (release, other)]
    return json_response(request, difference(one, another))


def _current_releases(dataset: str, releases: Releases) -> list[dict[str, Any]]:
    return [
        {
            "dataset": dataset,
            "release": release.name,
            "month": release.manifest.month,
            "published_at": release.manifest.published_at,
            "previous": release.manifest.previous,
            "rho": release.manifest.privacy.rho,
            "manifest": f"/v1/releases/{dataset}/{release.name}",
            "citation": f"/v1/releases/{dataset}/{release.name}/citation",
            "files": [
                f"/v1/releases/{dataset}/{release.name}/files/{file.name}" for file in release.manifest.files
            ],
        }
        for release in releases.current(dataset)
    ]
