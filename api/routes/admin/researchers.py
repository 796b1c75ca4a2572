"""/v1/admin/researchers: who was vetted for which project."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.access.admins import AskingAdmin, by, may, private
from api.dependencies import OpenRegistry, only
from api.routes.admin.bodies import Act, Text, body_of, described
from auth.projects import NewMember

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only())])
SEES, DECIDES = [Depends(may("read"))], [Depends(may("access"))]


class Member(Act):
    """A researcher who was vetted for a project."""

    project: Text
    name: Text
    email: Text
    institution: Text


class Leaving(Act):
    """A member, by address or identifier, who leaves a project."""

    project: Text
    researcher: Text


@router.get("/researchers", summary="Who was vetted for what", dependencies=SEES)
def researchers(registry: OpenRegistry) -> Response:
    """Every member of every project, with the addresses that name them here."""
    return private({"researchers": [asdict(line) for line in registry.office.members()]})


@router.post(
    "/researchers",
    summary="Let a researcher join",
    dependencies=DECIDES,
    openapi_extra=described(
        Member, project="EX-1", name="A Researcher", email="new@example.org", institution="An institution"
    ),
)
def join(
    admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Member, Depends(body_of(Member))]
) -> Response:
    """Make a vetted researcher a member of a project."""
    new = NewMember(given.project, given.name, given.email, given.institution)
    project, person = registry.add_researcher(new, by(admin, given.reason))
    return private({"project": project.reference, "researcher": person.id})


@router.post(
    "/researchers/remove",
    summary="Let a researcher leave",
    dependencies=DECIDES,
    openapi_extra=described(Leaving, project="EX-4", researcher="researcher@example.org"),
)
def leave(
    admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Leaving, Depends(body_of(Leaving))]
) -> Response:
    """Take a researcher out of a project; their tokens open nothing from now on."""
    left = registry.office.end_membership(given.project, given.researcher, by(admin, given.reason))
    return private({"project": left.reference})
