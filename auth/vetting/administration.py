"""What admins do about requests and projects: one layer under the command line and HTTP, each act with its audit entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine, select

from auth.admins.approvals import PROJECT_APPROVAL, FourEyes, forget
from auth.audit.log import Mandate
from auth.audit.transaction import AuditedTransaction
from auth.db.engine import snapshot
from auth.db.models import Application, Institution, Membership, Notice, Project, ProjectVersion, Researcher
from auth.errors import UnknownRecord
from auth.projects import NewProject, state_of
from auth.vetting import applications, deadlines, lifecycle
from auth.vetting.deadlines import ClockLine
from auth.vetting.lifecycle import ProjectChange

MOVES = {"suspended": "project.suspended", "active": "project.resumed", "ended": "project.ended"}
KINDS = {"access_begins": "access has been given", "access_ends": "access has ended"}


@dataclass(frozen=True)
class NoticeLine:
    """A notice as the coordinator reads it, and whether it was sent in time."""

    notice: str
    reference: str
    dsc: str
    kind: str
    at: datetime
    due: date
    sent: datetime | None

    def late(self, today: date) -> bool:
        return (self.sent.date() if self.sent else today) > self.due


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


@dataclass(frozen=True)
class Summary:
    """A project as the public overview shows it: no person, no token (Delegated Regulation (EU) 2025/2050, Art. 11)."""

    reference: str
    dsc: str
    purpose: str
    datasets: tuple[str, ...]
    modality: str
    first_day: date
    end: datetime
    status: str
    versions: int


class Office:
    """The acts of admins on requests and projects. Each raises RegistryUnavailable and ChainBroken besides what it says."""

    def __init__(
        self,
        engine: Engine,
        acting: Callable[[Mandate], AbstractContextManager[AuditedTransaction]],
        four_eyes: FourEyes,
    ) -> None:
        self._engine = engine
        self._acting = acting
        self._four_eyes = four_eyes

    # --- requests ---------------------------------------------------------------------------------

    def submit(self, new: NewProject, mandate: Mandate) -> Application:
        """Raises MalformedValue, NotAllowed."""
        with self._acting(mandate) as act:
            made = applications.submit(act.session, new, mandate.at)
            act.record("application.submitted", made.id, reference=made.reference, scopes=made.scopes)
        return made

    def move_application(self, name: str, state: str, mandate: Mandate) -> Application:
        """Return, resubmit (`submitted`) or reject. Raises UnknownRecord, NotAllowed."""
        with self._acting(mandate) as act:
            found = applications.move(act.session, name, state, mandate.at)
            forget(act.session, PROJECT_APPROVAL, found.id)
            act.record(f"application.{state}", found.id)
        return found

    def approve(self, name: str, mandate: Mandate) -> Project | None:
        """The project, or None where another person must agree first. Raises UnknownRecord, NotAllowed."""
        with self._acting(mandate) as act:
            wanted = applications.ensure_open(act.session, name)
            if not self._four_eyes.agreed(act, PROJECT_APPROVAL, wanted.id):
                return None
            found, project = applications.approve(act.session, name, mandate.at)
            forget(act.session, PROJECT_APPROVAL, wanted.id)
            lifecycle.record_version(act.session, project, mandate)
            act.record("application.approved", found.id, project=project.id)
        return project

    def list_applications(self) -> Sequence[Application]:
        """Those with the earliest clock first."""
        with snapshot(self._engine) as session:
            return applications.list_applications(session)

    def mediate(self, name: str, step: str, mandate: Mandate) -> Application:
        """A step of a mediation. Raises UnknownRecord, MalformedValue, NotAllowed."""
        with self._acting(mandate) as act:
            found = applications.mediate(act.session, name, step, mandate.at)
            act.record(f"mediation.{step}", found.id)
        return found

    def clocks(self) -> Sequence[ClockLine]:
        """Every clock of every request, those that run first."""
        with snapshot(self._engine) as session:
            return deadlines.clocks(session)

    # --- projects ---------------------------------------------------------------------------------

    def change_project(self, name: str, change: ProjectChange, mandate: Mandate) -> Project | None:
        """The project, or None where it would get more and another person must agree first.

        Raises UnknownRecord, MalformedValue, NotAllowed.
        """
        with self._acting(mandate) as act:
            more = lifecycle.more_of(act.session, name, change, mandate.at)
            if more and not self._four_eyes.agreed(act, PROJECT_APPROVAL, more):
                return None
            project = lifecycle.change_project(act.session, name, change, mandate)
            forget(act.session, PROJECT_APPROVAL, more)
            act.record(
                "project.changed",
                project.id,
                version=project.version,
                scopes=project.scopes,
                tier=project.tier,
                not_after=project.not_after.isoformat(),
            )
        return project

    def move_project(self, name: str, status: str, mandate: Mandate) -> Project:
        """Suspend, resume (`active`) or end. Raises UnknownRecord, NotAllowed."""
        with self._acting(mandate) as act:
            project = lifecycle.move_project(act.session, name, status, mandate)
            act.record(MOVES[status], project.id, version=project.version)
        return project

    def end_membership(self, name: str, researcher: str, mandate: Mandate) -> Project:
        """Raises UnknownRecord."""
        with self._acting(mandate) as act:
            project, person = lifecycle.end_membership(act.session, name, researcher, mandate.at)
            act.record("member.ended", project.id, researcher=person)
        return project

    def versions(self, name: str) -> Sequence[ProjectVersion]:
        """Every version of a project, the first first. Raises UnknownRecord."""
        with snapshot(self._engine) as session:
            return lifecycle.versions(session, name)

    def ending(self, now: datetime, days: int) -> Sequence[Project]:
        """Projects that end within so many days, the earliest first."""
        with snapshot(self._engine) as session:
            return lifecycle.ending(session, now, days)

    def summaries(self, now: datetime) -> tuple[Summary, ...]:
        """Every project as the public may know it at a moment, the latest first."""
        with snapshot(self._engine) as session:
            found = session.scalars(
                select(Project).order_by(Project.not_before.desc(), Project.reference)
            ).all()
            early = lifecycle.ends(session)
            return tuple(_summary(project, early.get(project.id), now) for project in found)

    def members(self) -> Sequence[MemberLine]:
        """Everybody who is or was a member of a project, by project and address."""
        asked = (
            select(Project.reference, Researcher.id, Researcher.name, Researcher.email, Institution.name, Membership.since,
                   Membership.ended)
            .select_from(Membership)
            .join(Project, Project.id == Membership.project_id)
            .join(Researcher, Researcher.id == Membership.researcher_id)
            .join(Institution, Institution.id == Researcher.institution_id)
            .order_by(Project.reference, Researcher.email)
        )  # fmt: skip
        with snapshot(self._engine) as session:
            return [MemberLine(*row) for row in session.execute(asked)]

    # --- notices to coordinators ------------------------------------------------------------------

    def notice_ends(self, now: datetime) -> int:
        """Notices for projects that have ended by themselves; gives their number. The API calls it once a minute."""
        with snapshot(self._engine) as session:
            if not lifecycle.over_untold(session, now):
                return 0
        with self._acting(Mandate("service:notices", "their last day is over", now)) as act:
            found = lifecycle.over_untold(act.session, now)
            for project in found:
                told = lifecycle.add_notice(act.session, project, "access_ends", project.not_after)
                act.record("notice.added", told.id, project=project.id)
        return len(found)

    def notices(self) -> tuple[NoticeLine, ...]:
        """Every notice, those to be sent first."""
        with snapshot(self._engine) as session:
            asked = select(Notice, Project).join(Project, Project.id == Notice.project_id)
            found = session.execute(asked.order_by(Notice.sent.is_not(None), Notice.due, Notice.id))
            return tuple(NoticeLine(n.id, p.reference, p.dsc, n.kind, n.at, n.due, n.sent) for n, p in found)

    def sent(self, notice: str, mandate: Mandate) -> None:
        """The coordinator has been told. Raises UnknownRecord."""
        with self._acting(mandate) as act:
            found = act.session.get(Notice, notice)
            if found is None:
                raise UnknownRecord(
                    f"notice: there is none of the identifier {notice[:60]!r}; see 'notice list'.",
                    parameter="notice",
                    value=notice,
                )
            found.sent = found.sent or mandate.at
            act.record("notice.sent", found.id, project=found.project_id)


def _summary(project: Project, ended: datetime | None, now: datetime) -> Summary:
    datasets = tuple(scope.split(":")[0] for scope in project.scopes.split())
    return Summary(
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
