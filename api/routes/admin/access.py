"""/v1/admin/applications, researchers, notices: reasoned requests, people, and what coordinators are told."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response

from api.access.admins import AskingAdmin, by, may, private, waiting
from api.dependencies import OpenRegistry, only
from api.routes.admin.bodies import Act, Reasoned, Requested, Text, body_of, described
from auth.db.models import Application
from auth.projects import NewMember
from auth.tokens.issuing import SOON, ending_tokens
from auth.vetting.lifecycle import SOON_OVER

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only())])
SEES, DECIDES = [Depends(may("read"))], [Depends(may("access"))]


class Move(Act):
    """What a request becomes."""

    state: Literal["returned", "submitted", "rejected"]


class Step(Act):
    """What happened in a mediation."""

    step: Literal["asked", "agreed", "ended"]


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


@router.get("/applications", summary="Reasoned requests", dependencies=SEES)
def applications(registry: OpenRegistry) -> Response:
    """Every request, those with the earliest clock first."""
    return private({"applications": [_said(a) for a in registry.office.list_applications()]})


@router.post(
    "/applications",
    summary="Take in a reasoned request",
    dependencies=DECIDES,
    openapi_extra=described(Requested, reference="EX-9", **Requested.example),
)
def submit(
    admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Requested, Depends(body_of(Requested))]
) -> Response:
    """Take in a reasoned request, which starts its clock."""
    return private(_said(registry.office.submit(given.access(), by(admin, given.reason))))


@router.post(
    "/applications/{name}/approve",
    summary="Approve a request",
    dependencies=DECIDES,
    openapi_extra=described(Act),
)
def approve(name: str, admin: AskingAdmin, registry: OpenRegistry, given: Reasoned) -> Response:
    """Grant a request: its project is active from its first day on. 202 where another person must agree first."""
    made = registry.office.approve(name, by(admin, given.reason))
    if made is None:
        return waiting()
    return private({"project": made.id, "reference": made.reference, "status": made.status})


@router.post(
    "/applications/{name}/state",
    summary="Return, resubmit or reject a request",
    dependencies=DECIDES,
    openapi_extra=described(Move, state="returned"),
)
def move(
    name: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Move, Depends(body_of(Move))]
) -> Response:
    """Give a request back with a question, take it in again, or refuse it for good."""
    return private(_said(registry.office.move_application(name, given.state, by(admin, given.reason))))


@router.post(
    "/applications/{name}/mediation",
    summary="A step of a mediation",
    dependencies=DECIDES,
    openapi_extra=described(Step, step="asked"),
)
def mediate(
    name: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Step, Depends(body_of(Step))]
) -> Response:
    """Put on record that mediation was asked for, that a mediator was agreed on, or that it has ended (Art. 13)."""
    return private(_said(registry.office.mediate(name, given.step, by(admin, given.reason))))


@router.get("/clocks", summary="Clocks of requests", dependencies=SEES)
def clocks(registry: OpenRegistry) -> Response:
    """Until when each side must have done what, those that run first."""
    today = datetime.now(UTC).date()
    return private({"clocks": [{**asdict(c), "late": c.late(today)} for c in registry.office.clocks()]})


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


@router.get("/notices", summary="Notices to coordinators", dependencies=SEES)
def notices(registry: OpenRegistry) -> Response:
    """Every notice of access that begins or ends, those to be sent first (Regulation (EU) 2025/2050, Art. 15(1))."""
    today = datetime.now(UTC).date()
    return private({"notices": [{**asdict(n), "late": n.late(today)} for n in registry.office.notices()]})


@router.post(
    "/notices/{notice}/sent", summary="A notice was sent", dependencies=DECIDES, openapi_extra=described(Act)
)
def sent(notice: str, admin: AskingAdmin, registry: OpenRegistry, given: Reasoned) -> Response:
    """Put on record that the coordinator has been told."""
    registry.office.sent(notice, by(admin, given.reason))
    return private({"notice": notice})


@router.get("/ending", summary="What ends soon", dependencies=[Depends(may("read"))])
def ending_soon(registry: OpenRegistry) -> Response:
    """Projects that end within 30 days, and open tokens without a successor that end within 14, the earliest first."""
    now = datetime.now(UTC)
    found = registry.office.ending(now, SOON_OVER)
    lines = ending_tokens(registry.list_tokens(now), now, SOON)
    projects = [{"reference": p.reference, "status": p.status, "end": p.not_after} for p in found]
    tokens = [
        {"token_id": t.token_id, "project": t.project, "researcher": t.researcher, "expires": t.expires}
        for t in lines
    ]
    return private({"projects": projects, "tokens": tokens})


def _said(a: Application) -> dict[str, object]:
    return {
        "application": a.id, "reference": a.reference, "dsc": a.dsc, "purpose": a.purpose, "scopes": a.scopes.split(),
        "tier": a.tier, "first_day": a.first_day, "last_day": a.last_day, "state": a.state, "received": a.received,
        "amendment_by": a.amendment_by, "project": a.project_id,
    }  # fmt: skip
