"""Changes of a project after its creation: scopes, tier, last day, status, members. Each change makes a version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.chain import Mandate
from auth.db.models import Membership, Project, ProjectVersion
from auth.errors import NotAllowed
from auth.projects import find_member, find_project
from auth.scopes import ensure_tier, read_scopes, write_scopes
from auth.tokens.revocation import revoke_member_tokens
from auth.validation import end_of
from auth.vetting.notices import add_notice_of_end

ENDING_SOON_DAYS = 30
"""Days before its end from which a project counts as ending soon."""
STATUS_BEFORE = {
    "suspended": ("active",),
    "active": ("suspended",),
    "ended": ("active", "suspended"),
}
"""The statuses from which a project can get each status."""


@dataclass(frozen=True)
class ProjectChange:
    """A change of a project; None leaves a value as it is. The last day is included (UTC)."""

    scopes: frozenset[str] | None = None
    tier: str | None = None
    last_day: date | None = None


def record_version(session: Session, project: Project, mandate: Mandate) -> None:
    """Store the present state of the project as a version. Call it after each flush of a change."""
    session.add(
        ProjectVersion(
            project_id=project.id,
            version=project.version,
            at=mandate.at,
            actor=mandate.by,
            reason=mandate.reason,
            status=project.status,
            scopes=project.scopes,
            tier=project.tier,
            not_before=project.not_before,
            not_after=project.not_after,
        )
    )
    session.flush()


def change_project(session: Session, name: str, change: ProjectChange, mandate: Mandate) -> Project:
    """Raises UnknownRecord, MalformedValue, and NotAllowed if the project has ended, the day is over, or nothing changes."""
    project = find_project(session, name)
    _ensure_not_ended(project, mandate.at)
    if change.scopes is not None:
        project.scopes = write_scopes(change.scopes)
    if change.tier is not None:
        project.tier = ensure_tier(change.tier)
    if change.last_day is not None:
        if end_of(change.last_day) <= max(mandate.at, project.not_before):
            raise NotAllowed(
                f"until: {change.last_day} is over, or before the first day; to end access now use 'project end'.",
                parameter="until",
                value=str(change.last_day),
            )
        project.not_after = end_of(change.last_day)
    if not session.is_modified(project):
        raise NotAllowed(
            f"project: {project.reference} has these values already; give other scopes, another tier or another last day.",
            parameter="project",
            value=project.reference,
        )
    return _flush_as_version(session, project, mandate)


def describe_extension(session: Session, name: str, change: ProjectChange, now: datetime) -> str:
    """The whole change as one line if it gives the project more than it has, otherwise an empty text.

    Another tier counts as more. The line is the subject of the consents under dual control.

    Raises UnknownRecord, MalformedValue, and NotAllowed if the project has ended.
    """
    project = find_project(session, name)
    _ensure_not_ended(project, now)
    scopes = (
        read_scopes(project.scopes) if change.scopes is None else read_scopes(write_scopes(change.scopes))
    )
    tier = project.tier if change.tier is None else ensure_tier(change.tier)
    end = project.not_after if change.last_day is None else end_of(change.last_day)
    if scopes <= read_scopes(project.scopes) and tier == project.tier and end <= project.not_after:
        return ""
    return f"{project.id} {','.join(sorted(scopes))} {tier} {end:%Y-%m-%d}"


def set_status(session: Session, name: str, status: str, mandate: Mandate) -> Project:
    """Suspend, resume (`active`) or end a project, from the next request on.

    Raises UnknownRecord, and NotAllowed if a project of its present status cannot get the new one.
    """
    project = find_project(session, name)
    if project.status not in STATUS_BEFORE[status] or project.not_after <= mandate.at:
        state = "over" if project.not_after <= mandate.at else project.status
        raise NotAllowed(
            f"project: {project.reference} is {state}; {' or '.join(STATUS_BEFORE[status])} projects can become {status}.",
            parameter="project",
            value=project.reference,
        )
    project.status = status
    if status == "ended":
        add_notice_of_end(session, project, mandate.at)
    return _flush_as_version(session, project, mandate)


def end_membership(session: Session, name: str, researcher: str, now: datetime) -> tuple[Project, str]:
    """Take a researcher out of a project: their tokens of it are revoked. Raises UnknownRecord."""
    project = find_project(session, name)
    person = find_member(session, project, researcher)
    membership = session.get_one(Membership, (project.id, person.id))
    membership.ended = now
    revoke_member_tokens(session, project, person, now)
    session.flush()
    return project, person.id


def list_versions(session: Session, name: str) -> Sequence[ProjectVersion]:
    """Every version of a project, the oldest first. Raises UnknownRecord."""
    project = find_project(session, name)
    query = (
        select(ProjectVersion).where(ProjectVersion.project_id == project.id).order_by(ProjectVersion.version)
    )
    return session.scalars(query).all()


def list_ending(session: Session, now: datetime, days: int) -> Sequence[Project]:
    """Active projects that end within so many days, the earliest first."""
    query = select(Project).where(
        Project.status != "ended", Project.not_after > now, Project.not_after <= now + timedelta(days=days)
    )
    return session.scalars(query.order_by(Project.not_after)).all()


def _ensure_not_ended(project: Project, now: datetime) -> None:
    if project.status == "ended" or project.not_after <= now:
        raise NotAllowed(
            f"project: {project.reference} has ended; further access needs a reasoned request of its own.",
            parameter="project",
            value=project.reference,
        )


def _flush_as_version(session: Session, project: Project, mandate: Mandate) -> Project:
    session.flush()
    record_version(session, project, mandate)
    return project
