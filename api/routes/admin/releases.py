"""/v1/admin/releases: list every release, and request that one be withdrawn."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry, PublishedReleases, only_parameters
from api.http.responses import no_store_response
from api.routes.admin.bodies import AdminRequest, ReasonOnly, request_body

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only_parameters())])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("administration"))]


@router.get("/releases", summary="Releases", dependencies=MAY_READ)
def releases(published: PublishedReleases) -> Response:
    """Every release, whether it is current, and whether it was withdrawn."""
    found = [
        {"dataset": dataset, "release": name, "current": name in current,
         "withdrawn": published.store.history.erratum(dataset, name) is not None}
        for dataset in published.store.datasets
        for current in [{release.name for release in published.current(dataset)}]
        for name in published.store.history.names(dataset)
    ]  # fmt: skip
    return no_store_response({"releases": found, "degraded": list(published.degraded)})


@router.post(
    "/releases/{dataset}/{release}/withdraw",
    summary="Request the withdrawal of a release",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminRequest),
)
def withdraw(
    dataset: str,
    release: str,
    admin: CurrentAdmin,
    registry: OpenRegistry,
    published: PublishedReleases,
    body: ReasonOnly,
) -> Response:
    """Request that a release be withdrawn. The host that builds releases does it, since it signs the erratum.

    If the consent of two persons is required, this counts as the first of the two.
    """
    published.find(dataset, release)
    registry.consents.request_withdrawal(f"{dataset}/{release}", mandate_for(admin, body.reason))
    return no_store_response(
        {"dataset": dataset, "release": release, "waits_for": "daylight release withdraw"}, 202
    )
