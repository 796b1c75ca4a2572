"""/v1/admin/projects: open, change, suspend and end projects, and list their versions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import Depends
from pydantic import BeforeValidator, Field

from api.access.admins import (
    CurrentAdmin,
    WaitingChange,
    consent_pending_response,
    mandate_for,
    require_right,
)
from api.dependencies import OpenRegistry
from api.http.body import JsonBody
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS, example
from api.http.responses import Accepted, NoStore
from api.http.router import Router
from api.routes.admin.bodies import AdminRequest, Day, ReasonedRequest, SplitScopes, Text
from auth.db.models import Project
from auth.projects import state_of
from auth.scopes import parse_scopes
from auth.vetting.lifecycle import ProjectChange

router = Router(prefix="/v1/admin/projects", tags=["admin"], dependencies=[DECLARED_PARAMETERS])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("access"))]


def _last_day(end: datetime) -> date:
    return (end - timedelta(microseconds=1)).date()


class AmendedRequest(AdminRequest):
    """The changes in an amended request. What is left out stays the same."""

    scopes: Text | None = None
    tier: Annotated[Text | None, Field(examples=["extended"])] = None
    last_day: Day | None = None


class StatusChange(AdminRequest):
    """The new status of a project."""

    status: Annotated[Literal["suspended", "active", "ended"], Field(examples=["suspended"])]


class ProjectDocument(Document):
    """A project: access under one reasoned request."""

    project: str
    reference: str
    """The reference of the reasoned request."""
    dsc: str
    """The coordinator that sent the request, by its Member State."""
    scopes: list[str]
    tier: str
    modality: str
    """How access is given (Delegated Regulation (EU) 2025/2050, Art. 9)."""
    status: str
    first_day: date
    last_day: date
    """The last day of access, in UTC, included."""
    version: int
    """Grows by one with each change."""


class ProjectList(Document):
    """Every project."""

    projects: list[ProjectDocument]


class VersionDocument(Document):
    """A version of a project: its state from a time on, and who made it so."""

    version: int
    since: Annotated[datetime, Field(validation_alias="at", serialization_alias="from")]
    status: str
    scopes: SplitScopes
    tier: str
    last_day: Annotated[date, Field(validation_alias="not_after"), BeforeValidator(_last_day)]
    by: Annotated[str, Field(validation_alias="actor")]
    reason: str


class VersionList(Document):
    """Every version of a project, the oldest first."""

    versions: list[VersionDocument]


@router.get("", summary="Projects", dependencies=MAY_READ)
def projects(registry: OpenRegistry) -> NoStore[ProjectList]:
    """Every project, ordered by its last day."""
    return NoStore(ProjectList(projects=[_describe_project(project) for project in registry.projects.list()]))


@router.post("", summary="Open a project", dependencies=MAY_CHANGE)
def create(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[ReasonedRequest, Depends(JsonBody(ReasonedRequest, reference="EX-8"))],
) -> NoStore[ProjectDocument]:
    """Open a project without an application. Refused if projects need the consent of two persons: submit one then."""
    created = registry.projects.create(body.as_project(), mandate_for(admin, body.reason))
    return NoStore(_describe_project(created))


@router.patch("/{name}", summary="Change a project", dependencies=MAY_CHANGE)
def change(
    name: Annotated[str, example("EX-1")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[AmendedRequest, Depends(JsonBody(AmendedRequest))],
) -> NoStore[ProjectDocument] | Accepted[WaitingChange]:
    """Change a project as its amended request says. Every version is kept. 202 if another person must consent first."""
    wanted = ProjectChange(parse_scopes(body.scopes) if body.scopes else None, body.tier, body.last_day)
    changed = registry.projects.change(name, wanted, mandate_for(admin, body.reason))
    return consent_pending_response() if changed is None else NoStore(_describe_project(changed))


@router.get("/{name}/versions", summary="Versions of a project", dependencies=MAY_READ)
def versions(name: Annotated[str, example("EX-1")], registry: OpenRegistry) -> NoStore[VersionList]:
    """Every version of a project: since when, by which admin, and why."""
    found = registry.projects.list_versions(name)
    return NoStore(VersionList(versions=[VersionDocument.of(version) for version in found]))


@router.post("/{name}/status", summary="Suspend, resume or end a project", dependencies=MAY_CHANGE)
def move(
    name: Annotated[str, example("EX-4")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[StatusChange, Depends(JsonBody(StatusChange))],
) -> NoStore[ProjectDocument]:
    """Tokens of a suspended or ended project are refused from the next request on. An ended project cannot be resumed."""
    moved = registry.projects.set_status(name, body.status, mandate_for(admin, body.reason))
    return NoStore(_describe_project(moved))


def _describe_project(project: Project) -> ProjectDocument:
    """The project with its status at this moment."""
    return ProjectDocument(
        project=project.id, reference=project.reference, dsc=project.dsc, scopes=project.scopes.split(),
        tier=project.tier, modality=project.modality, status=state_of(project, datetime.now(UTC)),
        first_day=project.not_before.date(), last_day=_last_day(project.not_after), version=project.version,
    )  # fmt: skip
