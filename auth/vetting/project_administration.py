"""What admins do with projects: create, change, suspend and end them, and their members; each change with its audit event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

from auth import projects
from auth.admins.consents import PROJECT_APPROVAL, DualControl, clear_consents
from auth.audit.chain import Mandate
from auth.audit.transaction import BeginTransaction
from auth.db.engine import snapshot
from auth.db.models import Project, ProjectVersion, Researcher
from auth.errors import NotAllowed
from auth.projects import NewMember, NewProject
from auth.vetting import lifecycle, notices, overview
from auth.vetting.lifecycle import ProjectChange
from auth.vetting.overview import MemberLine, ProjectSummary

STATUS_ACTIONS = {"suspended": "project.suspended", "active": "project.resumed", "ended": "project.ended"}
"""The action in the audit log, by the status that a project gets."""


class Projects:
    """Projects: created, changed, suspended, ended; and their members."""

    def __init__(self, engine: Engine, begin: BeginTransaction, dual_control: DualControl) -> None:
        self._engine, self._begin, self._dual_control = engine, begin, dual_control

    def create(self, new: NewProject, mandate: Mandate) -> Project:
        """A project without an application. Raises MalformedValue, and NotAllowed also if projects need dual control."""
        if PROJECT_APPROVAL in self._dual_control.actions:
            raise NotAllowed(
                "project: a project needs the consent of two persons here; submit an application and let both approve it.",
                parameter="project",
            )
        with self._begin(mandate) as transaction:
            project = projects.create_project(transaction.session, new, mandate.at)
            lifecycle.record_version(transaction.session, project, mandate)
            transaction.record(
                "project.created",
                project.id,
                reference=project.reference,
                scopes=project.scopes,
                tier=project.tier,
                first_day=str(new.first_day),
                last_day=str(new.last_day),
            )
        return project

    def change(self, name: str, change: ProjectChange, mandate: Mandate) -> Project | None:
        """The changed project, or None if it would get more and the consent of another person is needed first.

        Raises UnknownRecord, MalformedValue, NotAllowed.
        """
        with self._begin(mandate) as transaction:
            session = transaction.session
            extension = lifecycle.describe_extension(session, name, change, mandate.at)
            if extension and not self._dual_control.consent(transaction, PROJECT_APPROVAL, extension):
                return None
            project = lifecycle.change_project(session, name, change, mandate)
            clear_consents(session, PROJECT_APPROVAL, extension)
            transaction.record(
                "project.changed",
                project.id,
                version=project.version,
                scopes=project.scopes,
                tier=project.tier,
                not_after=project.not_after.isoformat(),
            )
        return project

    def set_status(self, name: str, status: str, mandate: Mandate) -> Project:
        """Suspend, resume (`active`) or end a project. Raises UnknownRecord, NotAllowed."""
        with self._begin(mandate) as transaction:
            project = lifecycle.set_status(transaction.session, name, status, mandate)
            transaction.record(STATUS_ACTIONS[status], project.id, version=project.version)
        return project

    def add_member(self, new: NewMember, mandate: Mandate) -> tuple[Project, Researcher]:
        """Raises UnknownRecord, MalformedValue and NotAllowed."""
        with self._begin(mandate) as transaction:
            session = transaction.session
            is_first = projects.is_empty(session, new.project)
            project, researcher = projects.add_member(session, new, mandate.at)
            transaction.record("member.added", project.id, researcher=researcher.id)
            if is_first:
                begins = max(mandate.at, project.not_before)
                notices.add_notice(session, project, "access_begins", begins)
        return project, researcher

    def end_membership(self, name: str, researcher: str, mandate: Mandate) -> Project:
        """Take a researcher out of a project and revoke their tokens of it. Raises UnknownRecord."""
        with self._begin(mandate) as transaction:
            project, person = lifecycle.end_membership(transaction.session, name, researcher, mandate.at)
            transaction.record("member.ended", project.id, researcher=person)
        return project

    def list(self) -> Sequence[Project]:
        """Every project, ordered by its last day."""
        with snapshot(self._engine) as session:
            return projects.list_projects(session)

    def list_ending(self, now: datetime, days: int) -> Sequence[Project]:
        """Projects that end within so many days, the earliest first."""
        with snapshot(self._engine) as session:
            return lifecycle.list_ending(session, now, days)

    def list_versions(self, name: str) -> Sequence[ProjectVersion]:
        """Every version of a project, the oldest first. Raises UnknownRecord."""
        with snapshot(self._engine) as session:
            return lifecycle.list_versions(session, name)

    def list_members(self) -> Sequence[MemberLine]:
        """Everybody who is or was a member of a project, by project and address."""
        with snapshot(self._engine) as session:
            return overview.list_members(session)

    def summaries(self, now: datetime) -> tuple[ProjectSummary, ...]:
        """Every project as the public may know it at a moment, the latest first."""
        with snapshot(self._engine) as session:
            return overview.summarise_projects(session, now)
