"""/v1/admin/applications and /v1/admin/clocks: reasoned requests, and the deadlines that run for them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response

from api.access.admins import AskingAdmin, by, may, private, waiting
from api.dependencies import OpenRegistry, only
from api.routes.admin.bodies import Act, Reasoned, Requested, body_of, described
from auth.db.models import Application

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only())])
SEES, DECIDES = [Depends(may("read"))], [Depends(may("access"))]


class Move(Act):
    """What a request becomes."""

    state: Literal["returned", "submitted", "rejected"]


class Step(Act):
    """What happened in a mediation."""

    step: Literal["asked", "agreed", "ended"]


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


def _said(a: Application) -> dict[str, object]:
    return {
        "application": a.id, "reference": a.reference, "dsc": a.dsc, "purpose": a.purpose, "scopes": a.scopes.split(),
        "tier": a.tier, "first_day": a.first_day, "last_day": a.last_day, "state": a.state, "received": a.received,
        "amendment_by": a.amendment_by, "project": a.project_id,
    }  # fmt: skip
