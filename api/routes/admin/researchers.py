"""/v1/admin/researchers: list the members of projects, add and remove them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry, only_parameters
from api.http.responses import no_store_response
from api.routes.admin.bodies import AdminRequest, Text, json_body, request_body
from auth.projects import NewMember

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only_parameters())])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("access"))]


class JoiningResearcher(AdminRequest):
    """A researcher who was vetted for a project."""

    project: Text
    name: Text
    email: Text
    institution: Text


class LeavingResearcher(AdminRequest):
    """A member who leaves a project, by e-mail address or identifier."""

    project: Text
    researcher: Text


@router.get("/researchers", summary="Vetted researchers", dependencies=MAY_READ)
def researchers(registry: OpenRegistry) -> Response:
    """Every member of every project, with the e-mail address that identifies them."""
    return no_store_response({"researchers": [asdict(line) for line in registry.projects.list_members()]})


@router.post(
    "/researchers",
    summary="Add a researcher to a project",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(
        JoiningResearcher,
        project="EX-1",
        name="A Researcher",
        email="new@example.org",
        institution="An institution",
    ),
)
def join(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[JoiningResearcher, Depends(json_body(JoiningResearcher))],
) -> Response:
    """Add a vetted researcher to a project."""
    new = NewMember(body.project, body.name, body.email, body.institution)
    project, person = registry.projects.add_member(new, mandate_for(admin, body.reason))
    return no_store_response({"project": project.reference, "researcher": person.id})


@router.post(
    "/researchers/remove",
    summary="Remove a researcher from a project",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(LeavingResearcher, project="EX-4", researcher="researcher@example.org"),
)
def leave(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[LeavingResearcher, Depends(json_body(LeavingResearcher))],
) -> Response:
    """Remove a researcher from a project. Their tokens for it are refused from the next request on."""
    left = registry.projects.end_membership(body.project, body.researcher, mandate_for(admin, body.reason))
    return no_store_response({"project": left.reference})
