"""Lists over all projects: the public overview, which names no person, and the researchers of each project, for admins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.db.models import Institution, Membership, Project, ProjectVersion, Researcher
from auth.projects import state_of


@dataclass(frozen=True)
class ProjectSummary:
    """A project as the public overview shows it: no person, no token (docs/law.md#public-overview-and-catalogue)."""

    reference: str
    dsc: str
    purpose: str
    datasets: tuple[str, ...]
    modality: str
    first_day: date
    end: datetime
    status: str
    versions: int


@dataclass(frozen=True)
class MemberLine:
    """A researcher in a project, and since and until when."""

    project: str
    researcher: str
    name: str
    email: str
    institution: str
    since: datetime
    ended: datetime | None


def summarise_projects(session: Session, now: datetime) -> tuple[ProjectSummary, ...]:
    """Every project as the public may know it at a moment, the latest first."""
    projects = session.scalars(select(Project).order_by(Project.not_before.desc(), Project.reference)).all()
    early = _early_ends(session)
    return tuple(_summary(project, early.get(project.id), now) for project in projects)


def list_members(session: Session) -> Sequence[MemberLine]:
    """Everybody who is or was a member of a project, by project and address."""
    query = (
        select(Project.reference, Researcher.id, Researcher.name, Researcher.email, Institution.name, Membership.since,
               Membership.ended)
        .select_from(Membership)
        .join(Project, Project.id == Membership.project_id)
        .join(Researcher, Researcher.id == Membership.researcher_id)
        .join(Institution, Institution.id == Researcher.institution_id)
        .order_by(Project.reference, Researcher.email)
    )  # fmt: skip
    return [MemberLine(*row) for row in session.execute(query)]


def _early_ends(session: Session) -> dict[str, datetime]:
    """When projects that an admin ended were ended, by their identifiers."""
    query = select(ProjectVersion.project_id, ProjectVersion.at).where(ProjectVersion.status == "ended")
    return {row.project_id: row.at for row in session.execute(query)}


def _summary(project: Project, ended: datetime | None, now: datetime) -> ProjectSummary:
    datasets = tuple(scope.split(":")[0] for scope in project.scopes.split())
    return ProjectSummary(
        reference=project.reference,
        dsc=project.dsc,
        purpose=project.purpose,
        datasets=datasets,
        modality=project.modality,
        first_day=project.not_before.date(),
        end=project.not_after if ended is None else min(ended, project.not_after),
        status=state_of(project, now),
        versions=project.version,
    )
