"""/v1/admin/researchers: list the members of projects, add and remove them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Depends
from pydantic import Field

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry
from api.http.body import JsonBody
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS
from api.http.responses import NoStore
from api.http.router import Router
from api.routes.admin.bodies import AdminRequest, Text
from auth.projects import NewMember

router = Router(prefix="/v1/admin", tags=["admin"], dependencies=[DECLARED_PARAMETERS])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("access"))]


class JoiningResearcher(AdminRequest):
    """A researcher who was vetted for a project."""

    project: Annotated[Text, Field(examples=["EX-1"])]
    name: Annotated[Text, Field(examples=["A Researcher"])]
    email: Annotated[Text, Field(examples=["new@example.org"])]
    institution: Annotated[Text, Field(examples=["An institution"])]


class LeavingResearcher(AdminRequest):
    """A member who leaves a project, by e-mail address or identifier."""

    project: Annotated[Text, Field(examples=["EX-4"])]
    researcher: Annotated[Text, Field(examples=["researcher@example.org"])]


class MemberDocument(Document):
    """A researcher in a project, and since and until when."""

    project: str
    researcher: str
    name: str
    email: str
    institution: str
    since: datetime
    ended: datetime | None


class MemberList(Document):
    """Every member of every project."""

    researchers: list[MemberDocument]


class JoinedMember(Document):
    """The project by its reference, and the identifier of the researcher."""

    project: str
    researcher: str


class LeftProject(Document):
    """The project by its reference."""

    project: str


@router.get("/researchers", summary="Vetted researchers", dependencies=MAY_READ)
def researchers(registry: OpenRegistry) -> NoStore[MemberList]:
    """Every member of every project, with the e-mail address that identifies them."""
    found = registry.projects.list_members()
    return NoStore(MemberList(researchers=[MemberDocument.of(line) for line in found]))


@router.post("/researchers", summary="Add a researcher to a project", dependencies=MAY_CHANGE)
def join(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[JoiningResearcher, Depends(JsonBody(JoiningResearcher))],
) -> NoStore[JoinedMember]:
    """Add a vetted researcher to a project."""
    new = NewMember(body.project, body.name, body.email, body.institution)
    project, person = registry.projects.add_member(new, mandate_for(admin, body.reason))
    return NoStore(JoinedMember(project=project.reference, researcher=person.id))


@router.post("/researchers/remove", summary="Remove a researcher from a project", dependencies=MAY_CHANGE)
def leave(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[LeavingResearcher, Depends(JsonBody(LeavingResearcher))],
) -> NoStore[LeftProject]:
    """Remove a researcher from a project. Their tokens for it are refused from the next request on."""
    left = registry.projects.end_membership(body.project, body.researcher, mandate_for(admin, body.reason))
    return NoStore(LeftProject(project=left.reference))
