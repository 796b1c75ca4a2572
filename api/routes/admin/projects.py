"""/v1/admin/projects: access under reasoned requests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response

from api.access.admins import AskingAdmin, by, may, private, waiting
from api.dependencies import OpenRegistry, only
from api.routes.admin.bodies import Act, Day, Requested, Text, body_of, described
from auth.db.models import Project
from auth.projects import state_of
from auth.scopes import parse_scopes
from auth.vetting.lifecycle import ProjectChange

router = APIRouter(prefix="/v1/admin/projects", tags=["admin"], dependencies=[Depends(only())])
SEES, DECIDES = [Depends(may("read"))], [Depends(may("access"))]


class Change(Act):
    """What an amended request says; what is left out stays."""

    scopes: Text | None = None
    tier: Text | None = None
    last_day: Day | None = None


class Move(Act):
    """What a project becomes."""

    status: Literal["suspended", "active", "ended"]


@router.get("", summary="Projects", dependencies=SEES)
def projects(registry: OpenRegistry) -> Response:
    """Every project, the earliest end first."""
    return private({"projects": [_said(project) for project in registry.list_projects()]})


@router.post(
    "",
    summary="Open a project",
    dependencies=DECIDES,
    openapi_extra=described(Requested, reference="EX-8", **Requested.example),
)
def create(
    admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Requested, Depends(body_of(Requested))]
) -> Response:
    """Open a project at once. Where two people must agree, it begins as an application instead."""
    return private(_said(registry.create_project(given.access(), by(admin, given.reason))))


@router.patch(
    "/{name}",
    summary="Change a project",
    dependencies=DECIDES,
    openapi_extra=described(Change, tier="extended"),
)
def change(
    name: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Change, Depends(body_of(Change))]
) -> Response:
    """Change a project as an amended request says; every version is kept. 202 where another person must agree to it first."""
    wanted = ProjectChange(parse_scopes(given.scopes) if given.scopes else None, given.tier, given.last_day)
    changed = registry.office.change_project(name, wanted, by(admin, given.reason))
    return waiting() if changed is None else private(_said(changed))


@router.get("/{name}/versions", summary="What a project was", dependencies=SEES)
def versions(name: str, registry: OpenRegistry) -> Response:
    """Every version, from when on, by whom and why."""
    found = [
        {"version": v.version, "from": v.at, "status": v.status, "scopes": v.scopes.split(), "tier": v.tier,
         "last_day": _last(v.not_after), "by": v.actor, "reason": v.reason}
        for v in registry.office.versions(name)
    ]  # fmt: skip
    return private({"versions": found})


@router.post(
    "/{name}/status",
    summary="Suspend, resume or end a project",
    dependencies=DECIDES,
    openapi_extra=described(Move, status="suspended"),
)
def move(
    name: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Move, Depends(body_of(Move))]
) -> Response:
    """From the next request on nobody of a suspended or ended project is let in; an end is for good."""
    return private(_said(registry.office.move_project(name, given.status, by(admin, given.reason))))


def _said(project: Project) -> dict[str, object]:
    return {
        "project": project.id, "reference": project.reference, "dsc": project.dsc, "scopes": project.scopes.split(),
        "tier": project.tier, "modality": project.modality, "status": state_of(project, datetime.now(UTC)),
        "first_day": project.not_before.date(),
        "last_day": _last(project.not_after), "version": project.version,
    }  # fmt: skip


def _last(end: datetime) -> date:
    return (end - timedelta(microseconds=1)).date()
