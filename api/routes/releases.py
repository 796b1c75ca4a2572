"""GET /v1/releases: the current releases, the signed manifest of a release, and the difference between two."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Request
from pydantic import Field

from api.dependencies import NamedDataset, PublishedReleases
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS, ReleaseName
from api.http.responses import Json, JsonBytes, Model
from api.http.router import Router, raises
from api.query.resolve import RELEASE_REFUSALS, find_release
from datasets.catalogue import DATASETS
from datasets.release.format import layout
from datasets.release.format.manifest import Manifest
from datasets.release.releases import Releases
from datasets.release.store.changelog import difference

router = Router(prefix="/v1/releases", tags=["releases"], dependencies=[DECLARED_PARAMETERS])

_FIRST_RELEASE = {"dataset": "$request.path.dataset", "release": "$response.body#/releases/0/release"}
LINKS = {
    "manifest": {
        "operationId": "manifest_v1_releases__dataset___release__get",
        "parameters": _FIRST_RELEASE,
    },
    "citation": {
        "operationId": "of_release_v1_releases__dataset___release__citation_get",
        "parameters": _FIRST_RELEASE,
    },
}
"""The operations that take the name of a release from the list."""


class ReleaseSummary(Document):
    """A current release, and where its manifest, its citation and its files are."""

    dataset: str
    release: str
    month: str
    published_at: str
    previous: Annotated[str | None, Field(description="The release that this one corrects.")]
    rho: str
    manifest: str
    citation: str
    files: list[str]


class ReleaseList(Document):
    """Current releases."""

    releases: list[ReleaseSummary]


class ChangedPlace(Document):
    """A place such as `measures[actions].rho`, and its values before and after; null if there was none."""

    place: str
    before: Any
    after: Any


class DifferenceDocument(Document):
    """How two releases of a dataset differ in their manifests and codebooks."""

    dataset: str
    from_release: Annotated[str, Field(validation_alias="from", serialization_alias="from")]
    to: str
    correction: str
    manifest: list[ChangedPlace]
    codebook: list[ChangedPlace]
    numbers: Annotated[str, Field(description="What a difference between their numbers means.")]


class SignedManifest(JsonBytes[Model]):
    """The bytes of a manifest that were signed."""

    fields = ("ETag", "Manifest-Signature", "Data-Release")


@router.get("", summary="Current releases of every dataset")
async def every(request: Request, releases: PublishedReleases) -> Json[ReleaseList]:
    """The current release of each month, for every dataset. No token needed."""
    current = [line for d in DATASETS for line in _current_releases(d.name, releases)]
    return Json(request, ReleaseList(releases=current))


@router.get(
    "/{dataset}",
    summary="Current releases of one dataset",
    openapi_extra={"responses": {"200": {"links": LINKS}}},
)
async def of_dataset(
    request: Request, dataset: NamedDataset, releases: PublishedReleases
) -> Json[ReleaseList]:
    """The current release of each month of this dataset. No token needed."""
    return Json(request, ReleaseList(releases=_current_releases(dataset.name, releases)))


@router.get("/{dataset}/{release}", summary="The manifest of a release")
@raises(*RELEASE_REFUSALS)
async def manifest(
    request: Request, dataset: NamedDataset, release: ReleaseName, releases: PublishedReleases
) -> SignedManifest[Manifest]:
    """The plan with every variance, the privacy loss, the kept shares, and the files with their hashes. No token needed.

    The body is the bytes that were signed. The detached signature (ES256, RFC 7515, appendix F) is in the header
    `Manifest-Signature`; its key is in `/.well-known/jwks.json`.
    """
    found = await find_release(releases, dataset.name, release)
    found.ensure_unchanged()
    signature = (found.folder / layout.SIGNATURE).read_text().strip()
    body = (found.folder / layout.MANIFEST).read_bytes()
    return SignedManifest(request, body, {"Manifest-Signature": signature, "Data-Release": found.name})


@router.get("/{dataset}/{release}/diff/{other}", summary="How two releases differ")
@raises(*RELEASE_REFUSALS)
async def diff(
    request: Request,
    dataset: NamedDataset,
    release: ReleaseName,
    other: ReleaseName,
    releases: PublishedReleases,
) -> Json[DifferenceDocument]:
    """What changed from one release to the other in code lists, measures, privacy loss, planned variances and source.

    No token needed.
    """
    one, another = [await find_release(releases, dataset.name, name) for name in (release, other)]
    return Json(request, DifferenceDocument.model_validate(difference(one, another)))


def _current_releases(dataset: str, releases: Releases) -> list[ReleaseSummary]:
    return [
        _release_summary(dataset, release.name, release.manifest) for release in releases.current(dataset)
    ]


def _release_summary(dataset: str, name: str, manifest: Manifest) -> ReleaseSummary:
    path = f"/v1/releases/{dataset}/{name}"
    return ReleaseSummary(
        dataset=dataset,
        release=name,
        month=manifest.month,
        published_at=manifest.published_at,
        previous=manifest.previous,
        rho=manifest.privacy.rho,
        manifest=path,
        citation=f"{path}/citation",
        files=[f"{path}/files/{file.name}" for file in manifest.files],
    )
