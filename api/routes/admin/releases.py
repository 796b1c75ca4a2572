"""/v1/admin/releases: every release, and requests to withdraw one."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from api.access.admins import AskingAdmin, by, may, private
from api.dependencies import OpenRegistry, PublishedReleases, only
from api.routes.admin.bodies import AdminRequest, ReasonOnly, request_body

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only())])
MAY_READ, MAY_CHANGE = [Depends(may("read"))], [Depends(may("house"))]


@router.get("/releases", summary="Releases", dependencies=MAY_READ)
def releases(published: PublishedReleases) -> Response:
    """Every release, which are current, and which were withdrawn."""
    found = [
        {"dataset": dataset, "release": name, "current": name in current,
         "withdrawn": published.history.erratum(dataset, name) is not None}
        for dataset in published.datasets
        for current in [{release.name for release in published.current(dataset)}]
        for name in published.history.names(dataset)
    ]  # fmt: skip
    return private({"releases": found, "degraded": list(published.degraded)})


@router.post(
    "/releases/{dataset}/{release}/withdraw",
    summary="Ask for a withdrawal",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminRequest),
)
def withdraw(
    dataset: str,
    release: str,
    admin: AskingAdmin,
    registry: OpenRegistry,
    published: PublishedReleases,
    body: ReasonOnly,
) -> Response:
    """Ask the host that builds to withdraw a release: its erratum is signed there. Where two must agree, this is one."""
    published.find(dataset, release)
    registry.admins.ask_withdrawal(f"{dataset}/{release}", by(admin, body.reason))
    return private({"dataset": dataset, "release": release, "waits_for": "daylight release withdraw"}, 202)
