"""/v1/admin/applications and /v1/admin/clocks: reasoned requests and their deadlines."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
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
from api.routes.admin.bodies import AdminRequest, ReasonedRequest, ReasonOnly, json_body, request_body
from api.spec.path_parameters import example
from auth.db.models import Application

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only_parameters())])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("access"))]


class StateChange(AdminRequest):
    """The new state of a reasoned request."""

    state: Literal["returned", "submitted", "rejected"]


class MediationStep(AdminRequest):
    """A step of a mediation."""

    step: Literal["asked", "agreed", "ended"]


@router.get("/applications", summary="Reasoned requests", dependencies=MAY_READ)
def applications(registry: OpenRegistry) -> Response:
    """Every reasoned request, ordered by the last day to ask for an amendment."""
    return no_store_response({"applications": [_application_json(a) for a in registry.applications.list()]})


@router.post(
    "/applications",
    summary="Submit a reasoned request",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(ReasonedRequest, reference="EX-9", **ReasonedRequest.example),
)
def submit(
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[ReasonedRequest, Depends(json_body(ReasonedRequest))],
) -> Response:
    """Record a reasoned request as received. Its deadline starts to run."""
    return no_store_response(
        _application_json(registry.applications.submit(body.as_project(), mandate_for(admin, body.reason)))
    )


@router.post(
    "/applications/{name}/approve",
    summary="Approve a request",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminRequest),
)
def approve(
    name: Annotated[str, example("EX-2")], admin: CurrentAdmin, registry: OpenRegistry, body: ReasonOnly
) -> Response:
    """Approve a reasoned request: its project is active from its first day. 202 if another person must consent first."""
    made = registry.applications.approve(name, mandate_for(admin, body.reason))
    if made is None:
        return consent_pending_response()
    return no_store_response({"project": made.id, "reference": made.reference, "status": made.status})


@router.post(
    "/applications/{name}/state",
    summary="Return, resubmit or reject a request",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(StateChange, state="returned"),
)
def move(
    name: Annotated[str, example("EX-3")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[StateChange, Depends(json_body(StateChange))],
) -> Response:
    """Return a request for amendment, take it in again after that, or reject it finally."""
    return no_store_response(
        _application_json(registry.applications.set_state(name, body.state, mandate_for(admin, body.reason)))
    )


@router.post(
    "/applications/{name}/mediation",
    summary="Record a step of a mediation",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(MediationStep, step="asked"),
)
def mediate(
    name: Annotated[str, example("EX-5")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: Annotated[MediationStep, Depends(json_body(MediationStep))],
) -> Response:
    """Record that mediation was requested, that it began with a mediator agreed on, or that it has ended (Art. 13)."""
    return no_store_response(
        _application_json(
            registry.applications.record_mediation_step(name, body.step, mandate_for(admin, body.reason))
        )
    )


@router.get("/clocks", summary="Deadlines of reasoned requests", dependencies=MAY_READ)
def clocks(registry: OpenRegistry) -> Response:
    """Every deadline: what each side must do and until when, running ones first, then by date."""
    today = datetime.now(UTC).date()
    return no_store_response(
        {"clocks": [{**asdict(c), "late": c.is_late(today)} for c in registry.applications.list_deadlines()]}
    )


def _application_json(a: Application) -> dict[str, object]:
    return {
        "application": a.id, "reference": a.reference, "dsc": a.dsc, "purpose": a.purpose, "scopes": a.scopes.split(),
        "tier": a.tier, "first_day": a.first_day, "last_day": a.last_day, "state": a.state, "received": a.received,
        "amendment_by": a.amendment_by, "project": a.project_id,
    }  # fmt: skip
