"""/v1/admin/applications and /v1/admin/clocks: reasoned requests and their deadlines."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from fastapi import Depends
from pydantic import Field

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
from api.routes.admin.bodies import AdminRequest, ReasonedRequest, ReasonOnly, SplitScopes
from auth.vetting.deadlines import StatutoryDeadline

router = Router(prefix="/v1/admin", tags=["admin"], dependencies=[DECLARED_PARAMETERS])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("access"))]


class StateChange(AdminRequest):
    """The new state of a reasoned request."""

    state: Annotated[Literal["returned", "submitted", "rejected"], Field(examples=["returned"])]


class MediationStep(AdminRequest):
    """A step of a mediation."""

    step: Annotated[Literal["asked", "agreed", "ended"], Field(examples=["asked"])]


class ApplicationDocument(Document):
    """A reasoned request that was received."""

    application: Annotated[str, Field(validation_alias="id")]
    reference: str
    dsc: str
    """The coordinator that sent it, by its Member State."""
    purpose: str
    scopes: SplitScopes
    tier: str
    first_day: date
    last_day: date
    state: str
    received: datetime
    amendment_by: date
    """The last day on which the provider may ask for an amendment (DSA Art. 40(5))."""
    project: Annotated[str | None, Field(validation_alias="project_id")]
    """The project that was opened when it was approved."""


class ApplicationList(Document):
    """Every reasoned request."""

    applications: list[ApplicationDocument]


class ApprovedApplication(Document):
    """The project that an approved request has opened."""

    project: Annotated[str, Field(validation_alias="id")]
    reference: str
    status: str


class DeadlineDocument(Document):
    """A deadline of a reasoned request: who must act until when, and which article says so."""

    reference: str
    dsc: str
    kind: str
    whose: str
    law: str
    began: datetime
    due: date
    ended: datetime | None
    """When what was due was done."""
    late: bool
    """Whether it was done after the day on which it was due, or is not done yet and that day is over."""


class DeadlineList(Document):
    """Every deadline."""

    clocks: list[DeadlineDocument]


@router.get("/applications", summary="Reasoned requests", dependencies=MAY_READ)
def applications(registry: OpenRegistry) -> NoStore[ApplicationList]:
    """Every reasoned request, ordered by the last day to ask for an amendment."""
    found = registry.applications.list()
    return NoStore(ApplicationList(applications=[ApplicationDocument.of(row) for row in found]))


@router.post("/applications", summary="Submit a reasoned request", dependencies=MAY_CHANGE)
def submit(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[ReasonedRequest, Depends(JsonBody(ReasonedRequest, reference="EX-9"))],
) -> NoStore[ApplicationDocument]:
    """Record a reasoned request as received. Its deadline starts to run."""
    submitted = registry.applications.submit(body.as_project(), mandate_for(admin, body.reason))
    return NoStore(ApplicationDocument.of(submitted))


@router.post("/applications/{name}/approve", summary="Approve a request", dependencies=MAY_CHANGE)
def approve(
    name: Annotated[str, example("EX-2")], admin: CurrentAdmin, registry: OpenRegistry, body: ReasonOnly
) -> NoStore[ApprovedApplication] | Accepted[WaitingChange]:
    """Approve a reasoned request: its project is active from its first day. 202 if another person must consent first."""
    made = registry.applications.approve(name, mandate_for(admin, body.reason))
    return consent_pending_response() if made is None else NoStore(ApprovedApplication.of(made))


@router.post(
    "/applications/{name}/state", summary="Return, resubmit or reject a request", dependencies=MAY_CHANGE
)
def move(
    name: Annotated[str, example("EX-3")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[StateChange, Depends(JsonBody(StateChange))],
) -> NoStore[ApplicationDocument]:
    """Return a request for amendment, take it in again after that, or reject it finally."""
    moved = registry.applications.set_state(name, body.state, mandate_for(admin, body.reason))
    return NoStore(ApplicationDocument.of(moved))


@router.post(
    "/applications/{name}/mediation", summary="Record a step of a mediation", dependencies=MAY_CHANGE
)
def mediate(
    name: Annotated[str, example("EX-5")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[MediationStep, Depends(JsonBody(MediationStep))],
) -> NoStore[ApplicationDocument]:
    """Record that mediation was requested, that it began with a mediator agreed on, or that it has ended (Art. 13)."""
    application = registry.applications.record_mediation_step(
        name, body.step, mandate_for(admin, body.reason)
    )
    return NoStore(ApplicationDocument.of(application))


@router.get("/clocks", summary="Deadlines of reasoned requests", dependencies=MAY_READ)
def clocks(registry: OpenRegistry) -> NoStore[DeadlineList]:
    """Every deadline: what each side must do and until when, running ones first, then by date."""
    today = datetime.now(UTC).date()
    found = registry.applications.list_deadlines()
    return NoStore(DeadlineList(clocks=[_describe_deadline(deadline, today) for deadline in found]))


def _describe_deadline(deadline: StatutoryDeadline, today: date) -> DeadlineDocument:
    return DeadlineDocument(**asdict(deadline), late=deadline.is_late(today))
