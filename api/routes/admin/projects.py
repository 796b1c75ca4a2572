"""/v1/admin/projects: open, change, suspend and end projects, and list their versions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response

from api.access.admins import (
    CurrentAdmin,
    consent_pending_response,
    mandate_for,
    require_right,
)
from api.dependencies import OpenRegistry, only_parameters
from api.http.responses import no_store_response
from api.routes.admin.bodies import AdminRequest, Day, ReasonedRequest, Text, json_body, request_body
from api.spec.path_parameters import example
from auth.db.models import Project
from auth.projects import state_of
from auth.scopes import parse_scopes
from auth.vetting.lifecycle import ProjectChange

router = APIRouter(prefix="/v1/admin/projects", tags=["admin"], dependencies=[Depends(only_parameters())])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("access"))]


class AmendedRequest(AdminRequest):
    """The changes in an amended request. What is left out stays the same."""

    scopes: Text | None = None
    tier: Text | None = None
    last_day: Day | None = None


class StatusChange(AdminRequest):
    """The new status of a project."""

    status: Literal["suspended", "active", "ended"]


@router.get("", summary="Projects", dependencies=MAY_READ)
def projects(registry: OpenRegistry) -> Response:
    """Every project, ordered by its last day."""
    return no_store_response({"projects": [_project_json(project) for project in registry.projects.list()]})


@router.post(
    "",
    summary="Open a project",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(ReasonedRequest, reference="EX-8", **ReasonedRequest.example),
)
def create(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[ReasonedRequest, Depends(json_body(ReasonedRequest))],
) -> Response:
    """Open a project without an application. Refused if projects need the consent of two persons: submit one then."""
    return no_store_response(
        _project_json(registry.projects.create(body.as_project(), mandate_for(admin, body.reason)))
    )


@router.patch(
    "/{name}",
    summary="Change a project",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AmendedRequest, tier="extended"),
)
def change(
    name: Annotated[str, example("EX-1")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[AmendedRequest, Depends(json_body(AmendedRequest))],
) -> Response:
    """Change a project as its amended request says. Every version is kept. 202 if another person must consent first."""
    wanted = ProjectChange(parse_scopes(body.scopes) if body.scopes else None, body.tier, body.last_day)
    changed = registry.projects.change(name, wanted, mandate_for(admin, body.reason))
    return consent_pending_response() if changed is None else no_store_response(_project_json(changed))


@router.get("/{name}/versions", summary="Versions of a project", dependencies=MAY_READ)
def versions(name: Annotated[str, example("EX-1")], registry: OpenRegistry) -> Response:
    """Every version of a project: since when, by which admin, and why."""
    found = [
        {"version": v.version, "from": v.at, "status": v.status, "scopes": v.scopes.split(), "tier": v.tier,
         "last_day": _last_day(v.not_after), "by": v.actor, "reason": v.reason}
        for v in registry.projects.list_versions(name)
    ]  # fmt: skip
    return no_store_response({"versions": found})


@router.post(
    "/{name}/status",
    summary="Suspend, resume or end a project",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(StatusChange, status="suspended"),
)
def move(
    name: Annotated[str, example("EX-4")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[StatusChange, Depends(json_body(StatusChange))],
) -> Response:
    """Tokens of a suspended or ended project are refused from the next request on. An ended project cannot be resumed."""
    return no_store_response(
        _project_json(registry.projects.set_status(name, body.status, mandate_for(admin, body.reason)))
    )


def _project_json(project: Project) -> dict[str, object]:
    return {
        "project": project.id, "reference": project.reference, "dsc": project.dsc, "scopes": project.scopes.split(),
        "tier": project.tier, "modality": project.modality, "status": state_of(project, datetime.now(UTC)),
        "first_day": project.not_before.date(),
        "last_day": _last_day(project.not_after), "version": project.version,
    }  # fmt: skip


def _last_day(end: datetime) -> date:
    return (end - timedelta(microseconds=1)).date()
