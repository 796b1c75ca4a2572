"""The states of a reasoned request: submitted, returned, approved, rejected; and which state can follow which."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from auth.admins.consents import PROJECT_APPROVAL, DualControl, clear_consents
from auth.audit.chain import Mandate
from auth.audit.transaction import BeginTransaction
from auth.calendar import ensure_member_state
from auth.db.engine import snapshot
from auth.db.models import Application, Project
from auth.errors import NotAllowed, UnknownRecord, printable, similar_options, suggestion_sentence
from auth.identifiers import new_identifier
from auth.projects import NewProject, create_project, ensure_modality, ensure_new_reference
from auth.scopes import ensure_tier, read_scopes, write_scopes
from auth.validation import ensure_text
from auth.vetting import deadlines, lifecycle
from auth.vetting.deadlines import StatutoryDeadline

STATES_BEFORE = {
    "submitted": ("returned",),
    "returned": ("submitted",),
    "approved": ("submitted",),
    "rejected": ("submitted", "returned"),
}
"""The states from which an application can get each state."""


class Applications:
    """Reasoned requests of coordinators, until they are approved or rejected."""

    def __init__(self, engine: Engine, begin: BeginTransaction, dual_control: DualControl) -> None:
        self._engine, self._begin, self._dual_control = engine, begin, dual_control

    def submit(self, new: NewProject, mandate: Mandate) -> Application:
        """Raises MalformedValue, NotAllowed."""
        with self._begin(mandate) as transaction:
            application = submit(transaction.session, new, mandate.at)
            transaction.record(
                "application.submitted",
                application.id,
                reference=application.reference,
                scopes=application.scopes,
            )
        return application

    def set_state(self, name: str, state: str, mandate: Mandate) -> Application:
        """Return, resubmit (`submitted`) or reject an application. Raises UnknownRecord, NotAllowed."""
        with self._begin(mandate) as transaction:
            application = set_state(transaction.session, name, state, mandate.at)
            clear_consents(transaction.session, PROJECT_APPROVAL, application.id)
            transaction.record(f"application.{state}", application.id)
        return application

    def approve(self, name: str, mandate: Mandate) -> Project | None:
        """The new project, or None if the consent of another person is needed first. Raises UnknownRecord, NotAllowed."""
        with self._begin(mandate) as transaction:
            session = transaction.session
            wanted = find_approvable(session, name)
            if not self._dual_control.consent(transaction, PROJECT_APPROVAL, wanted.id):
                return None
            application, project = approve(session, name, mandate.at)
            clear_consents(session, PROJECT_APPROVAL, wanted.id)
            lifecycle.record_version(session, project, mandate)
            transaction.record("application.approved", application.id, project=project.id)
        return project

    def record_mediation_step(self, name: str, step: str, mandate: Mandate) -> Application:
        """Record that mediation was asked for, that it began with a mediator agreed on, or that it ended.

        Raises UnknownRecord, MalformedValue, NotAllowed.
        """
        with self._begin(mandate) as transaction:
            application = find_application(transaction.session, name)
            deadlines.record_mediation_step(transaction.session, application, step, mandate.at)
            transaction.record(f"mediation.{step}", application.id)
        return application

    def list(self) -> Sequence[Application]:
        """Every application, ordered by the last day to ask for an amendment."""
        with snapshot(self._engine) as session:
            return list_applications(session)

    def list_deadlines(self) -> Sequence[StatutoryDeadline]:
        """Every deadline of every application, the running ones first."""
        with snapshot(self._engine) as session:
            return deadlines.list_deadlines(session)


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
    near = similar_options(name, session.scalars(select(Application.reference)))
    raise UnknownRecord(
        f"application: there is no application {printable(name)!r}; give its reference, as in 'application list'."
        f"{suggestion_sentence(near)}",
        parameter="application",
        value=name,
        suggestions=near,
    )


def list_applications(session: Session) -> Sequence[Application]:
    """Every application, ordered by the last day to ask for an amendment."""
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
