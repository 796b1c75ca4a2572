"""Projects, each of which is access under one reasoned request, and their members, the researchers vetted for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from auth.calendar import ensure_member_state
from auth.db.models import Application, Institution, Membership, Project, Researcher
from auth.errors import (
    MalformedValue,
    NotAllowed,
    UnknownRecord,
    printable,
    similar_options,
    suggestion_sentence,
)
from auth.identifiers import new_identifier
from auth.scopes import ensure_tier, write_scopes
from auth.validation import end_of, ensure_email, ensure_text, start_of

MODALITIES = ("token_aggregates",)
"""How access is given: aggregates through an API, to holders of tokens (docs/law.md#modalities-of-access)."""
RECORD_NOUNS: dict[type[Application | Project], str] = {Application: "an application", Project: "a project"}


@dataclass(frozen=True)
class NewProject:
    """What a reasoned request asks for; `dsc` is the member state of the coordinator. Both days are included (UTC)."""

    reference: str
    dsc: str
    purpose: str
    scopes: frozenset[str]
    first_day: date
    last_day: date
    tier: str = "standard"
    modality: str = MODALITIES[0]


@dataclass(frozen=True)
class NewMember:
    """A person vetted for a project; `project` is its identifier or its reference."""

    project: str
    name: str
    email: str
    institution: str


def create_project(session: Session, new: NewProject, now: datetime, *, is_granted: bool = False) -> Project:
    """A project: from an application if `is_granted`, otherwise without one.

    Raises MalformedValue, and NotAllowed if the reference is taken, the last day is over, or it lies before the first day.
    """
    reference = ensure_new_reference(session, new, Project, *() if is_granted else (Application,))
    if end_of(new.last_day) <= now:
        raise NotAllowed(
            f"until: {new.last_day} is over; the last day of access is today or later.",
            parameter="until",
            value=str(new.last_day),
        )
    project = Project(
        id=new_identifier("prj"),
        reference=reference,
        dsc=ensure_member_state("dsc", new.dsc),
        purpose=ensure_text("purpose", new.purpose, max_length=2000),
        scopes=write_scopes(new.scopes),
        tier=ensure_tier(new.tier),
        modality=ensure_modality(new.modality),
        status="active",
        not_before=start_of(new.first_day),
        not_after=end_of(new.last_day),
        created=now,
    )
    session.add(project)
    session.flush()
    return project


def ensure_modality(text: str) -> str:
    """The modality itself. Raises MalformedValue if it is not offered."""
    if text not in MODALITIES:
        raise MalformedValue(
            f"modality: {printable(text)!r} is not offered; write {', '.join(MODALITIES)}.",
            parameter="modality", value=text, allowed=MODALITIES,
        )  # fmt: skip
    return text


def ensure_new_reference(session: Session, new: NewProject, *tables: type[Application | Project]) -> str:
    """The reference of a request that is in none of these tables and whose last day does not lie before its first day.

    Raises MalformedValue, NotAllowed.
    """
    reference = ensure_text("reference", new.reference)
    for table in tables:
        if session.scalar(select(table.id).where(table.reference == reference)) is not None:
            raise NotAllowed(
                f"reference: {printable(reference)!r} is {RECORD_NOUNS[table]} already; a reasoned request is handled once.",
                parameter="reference",
                value=reference,
            )
    if new.last_day < new.first_day:
        raise NotAllowed(
            f"until: {new.last_day} lies before the first day, {new.first_day}.",
            parameter="until",
            value=str(new.last_day),
        )
    return reference


def list_projects(session: Session) -> Sequence[Project]:
    """Every project, ordered by its last day."""
    return session.scalars(select(Project).order_by(Project.not_after, Project.reference)).all()


def state_of(project: Project, now: datetime) -> str:
    """The state of a project at a moment: its status, or `ended` if its last day is over."""
    return "ended" if project.not_after <= now else project.status


def find_project(session: Session, name: str) -> Project:
    """The project of this identifier or reference. Raises UnknownRecord with suggestions."""
    found = session.scalars(select(Project).where(or_(Project.id == name, Project.reference == name))).first()
    if found is None:
        near = similar_options(name, session.scalars(select(Project.reference)))
        raise UnknownRecord(
            f"project: there is no project {printable(name)!r}; give the reference of a reasoned request, as in "
            f"'project list'.{suggestion_sentence(near)}",
            parameter="project",
            value=name,
            suggestions=near,
        )
    return found


def add_member(session: Session, new: NewMember, now: datetime) -> tuple[Project, Researcher]:
    """Make a researcher, who is known by their address or new, a member of a project.

    Raises UnknownRecord, MalformedValue, and NotAllowed if they are a member already, if the address belongs to another
    name or institution, or if the project has ended.
    """
    project = find_project(session, new.project)
    if state_of(project, now) == "ended":
        raise NotAllowed(
            f"project: {project.reference} has ended; nobody can join it.",
            parameter="project",
            value=project.reference,
        )
    researcher = _find_or_create_researcher(session, new, now)
    membership = session.get(Membership, (project.id, researcher.id))
    if membership is not None and membership.ended is None:
        raise NotAllowed(
            f"email: {printable(researcher.email)!r} is a member of {project.reference} already.",
            parameter="email",
            value=researcher.email,
        )
    # a member who left and returns has a new `since`; the audit log keeps the earlier time
    session.merge(Membership(project_id=project.id, researcher_id=researcher.id, since=now, ended=None))
    session.flush()
    return project, researcher


def is_empty(session: Session, name: str) -> bool:
    """Whether a project never had a member. Raises UnknownRecord."""
    project = find_project(session, name)
    return session.scalar(select(Membership.since).where(Membership.project_id == project.id)) is None


def find_member(session: Session, project: Project, name: str) -> Researcher:
    """The current member of this address or identifier. Raises UnknownRecord with suggestions."""
    members = session.scalars(
        select(Researcher)
        .join(Membership, Membership.researcher_id == Researcher.id)
        .where(Membership.project_id == project.id, Membership.ended.is_(None))
    ).all()
    wanted = name.strip().lower()
    for member in members:
        if wanted in (member.email, member.id):
            return member
    near = similar_options(wanted, [member.email for member in members])
    raise UnknownRecord(
        f"researcher: {printable(name)!r} is not a member of {project.reference}; add them with 'researcher add'."
        f"{suggestion_sentence(near)}",
        parameter="researcher",
        value=name,
        suggestions=near,
    )


def _find_or_create_researcher(session: Session, new: NewMember, now: datetime) -> Researcher:
    name, email = ensure_text("name", new.name), ensure_email("email", new.email)
    institution = _find_or_create_institution(session, ensure_text("institution", new.institution), now)
    known = session.scalars(select(Researcher).where(Researcher.email == email)).first()
    if known is None:
        known = Researcher(
            id=new_identifier("res"), name=name, email=email, institution_id=institution.id, created=now
        )
        session.add(known)
        session.flush()
    elif (known.name, known.institution_id) != (name, institution.id):
        raise NotAllowed(
            f"email: {printable(email)!r} belongs to a researcher of another name or institution; give both as they "
            "were given first.",
            parameter="email",
            value=email,
        )
    return known


def _find_or_create_institution(session: Session, name: str, now: datetime) -> Institution:
    known = session.scalars(select(Institution).where(Institution.name == name)).first()
    if known is None:
        known = Institution(id=new_identifier("ins"), name=name, created=now)
        session.add(known)
        session.flush()
    return known
