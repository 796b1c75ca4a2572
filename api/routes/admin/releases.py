"""/v1/admin/releases: list every release, and request that one be withdrawn."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Depends

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import DatasetName, OpenRegistry, PublishedReleases
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS, ReleaseName
from api.http.responses import Accepted, NoStore
from api.http.router import Router, raises
from api.query.resolve import RELEASE_REFUSALS
from api.routes.admin.bodies import ReasonOnly
from datasets.catalogue import UnknownDataset
from datasets.release.releases import Releases

router = Router(prefix="/v1/admin", tags=["admin"], dependencies=[DECLARED_PARAMETERS])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("administration"))]


class ReleaseLine(Document):
    """A release of a dataset."""

    dataset: str
    release: str
    current: bool
    """Whether questions about its month are answered from it."""
    withdrawn: bool


class ReleaseLines(Document):
    """Every release."""

    releases: list[ReleaseLine]
    degraded: list[str]
    """What is wrong with the folder of releases, in sentences. Questions are answered from what was read before."""


class RequestedWithdrawal(Document):
    """The release whose withdrawal was requested, and the command that withdraws it."""

    dataset: str
    release: str
    waits_for: str


@router.get("/releases", summary="Releases", dependencies=MAY_READ)
def releases(published: PublishedReleases) -> NoStore[ReleaseLines]:
    """Every release, whether it is current, and whether it was withdrawn."""
    found = [line for dataset in published.store.datasets for line in _list_lines(published, dataset)]
    return NoStore(ReleaseLines(releases=found, degraded=list(published.degraded)))


@router.post(
    "/releases/{dataset}/{release}/withdraw",
    summary="Request the withdrawal of a release",
    dependencies=MAY_CHANGE,
)
@raises(UnknownDataset, *RELEASE_REFUSALS)
def withdraw(
    dataset: DatasetName,
    release: ReleaseName,
    admin: CurrentAdmin,
    registry: OpenRegistry,
    published: PublishedReleases,
    body: ReasonOnly,
) -> Accepted[RequestedWithdrawal]:
    """Request that a release be withdrawn. The host that builds releases does it, since it signs the erratum.

    If the consent of two persons is required, this counts as the first of the two.
    """
    published.find(dataset, release)
    registry.consents.request_withdrawal(f"{dataset}/{release}", mandate_for(admin, body.reason))
    return Accepted(
        RequestedWithdrawal(dataset=dataset, release=release, waits_for="daylight release withdraw")
    )


def _list_lines(published: Releases, dataset: str) -> Iterator[ReleaseLine]:
    history, current = published.store.history, {release.name for release in published.current(dataset)}
    for name in history.names(dataset):
        withdrawn = history.erratum(dataset, name) is not None
        yield ReleaseLine(dataset=dataset, release=name, current=name in current, withdrawn=withdrawn)
