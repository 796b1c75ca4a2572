"""The states of a reasoned request: submitted, returned, approved, rejected; and which state can follow which."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.calendar import ensure_member_state
from auth.db.models import Application, Project
from auth.errors import NotAllowed, UnknownRecord, did_you_mean, nearest, printable
from auth.identifiers import new_identifier
from auth.projects import NewProject, create_project, ensure_modality, ensure_new_reference
from auth.scopes import ensure_tier, read_scopes, write_scopes
from auth.validation import ensure_text
from auth.vetting import deadlines

STATES_BEFORE = {
    "submitted": ("returned",),
    "returned": ("submitted",),
    "approved": ("submitted",),
    "rejected": ("submitted", "returned"),
}
"""The states from which an application can get each state."""


def submit(session: Session, new: NewProject, now: datetime) -> Application:
    """Register a request and start its deadline. Raises MalformedValue, and NotAllowed if the reference is known."""
    reference = ensure_new_reference(session, new, Application, Project)
    application = Application(
        id=new_identifier("app"),
        reference=reference,
        dsc=ensure_member_state("dsc", new.dsc),
        purpose=ensure_text("purpose", new.purpose, max_length=2000),
        scopes=write_scopes(new.scopes),
        tier=ensure_tier(new.tier),
        modality=ensure_modality(new.modality),
        first_day=new.first_day,
        last_day=new.last_day,
        state="submitted",
        received=now,
        amendment_by=deadlines.due_date("amendment", now.date(), new.dsc),
    )
    session.add(application)
    session.flush()
    return application


def set_state(session: Session, name: str, state: str, now: datetime) -> Application:
    """Return, resubmit or reject an application. Raises UnknownRecord, NotAllowed."""
    application = find_application(session, name)
    _ensure_can_become(application, state)
    application.state = state
    if state == "rejected":
        application.decided = now
    deadlines.update_deadlines(session, application, state, now)
    return application


def record_mediation_step(session: Session, name: str, step: str, now: datetime) -> Application:
    """Record a step of the mediation of a request. Raises UnknownRecord, MalformedValue, NotAllowed."""
    application = find_application(session, name)
    deadlines.record_mediation_step(session, application, step, now)
    return application


def approve(session: Session, name: str, now: datetime) -> tuple[Application, Project]:
    """Approve a request and create its project, which is active from its first day on. Raises UnknownRecord, NotAllowed."""
    application = find_approvable(session, name)
    project = create_project(
        session,
        NewProject(
            application.reference,
            application.dsc,
            application.purpose,
            read_scopes(application.scopes),
            max(application.first_day, now.date()),
            application.last_day,
            application.tier,
            application.modality,
        ),
        now,
        is_granted=True,
    )
    application.state, application.decided, application.project_id = "approved", now, project.id
    deadlines.update_deadlines(session, application, "approved", now)
    return application, project


def find_approvable(session: Session, name: str) -> Application:
    """The application. Raises UnknownRecord, and NotAllowed if it cannot be approved in its state."""
    application = find_application(session, name)
    _ensure_can_become(application, "approved")
    return application


def find_application(session: Session, name: str) -> Application:
    """The application of this identifier or reference. Raises UnknownRecord with suggestions."""
    query = select(Application).where((Application.id == name) | (Application.reference == name))
    found = session.scalars(query).first()
    if found is not None:
        return found
    near = nearest(name, session.scalars(select(Application.reference)))
    raise UnknownRecord(
        f"application: there is no application {printable(name)!r}; give its reference, as in 'application list'."
        f"{did_you_mean(near)}",
        parameter="application",
        value=name,
        suggestions=near,
    )


def list_applications(session: Session) -> Sequence[Application]:
    """Every application, those whose amendment is due first first."""
    return session.scalars(
        select(Application).order_by(Application.amendment_by, Application.reference)
    ).all()


def _ensure_can_become(application: Application, state: str) -> None:
    if application.state not in STATES_BEFORE[state]:
        raise NotAllowed(
            f"application: {application.reference} is {application.state}; "
            f"{' or '.join(STATES_BEFORE[state])} ones can become {state}.",
            parameter="application",
            value=application.reference,
        )
