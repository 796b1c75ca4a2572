"""Notices to the coordinator that access begins or ends, each with the day by which it must be sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from auth.audit.chain import Mandate
from auth.audit.transaction import BeginTransaction
from auth.calendar import after_working_days
from auth.db.engine import snapshot
from auth.db.models import Notice, Project
from auth.errors import UnknownRecord
from auth.identifiers import new_identifier

NOTICE_DAYS = 3
"""Working days within which the coordinator must be informed (docs/law.md#notices-to-the-coordinator)."""
NOTICE_TEXTS = {"access_begins": "access has been given", "access_ends": "access has ended"}


@dataclass(frozen=True)
class NoticeLine:
    """A notice as it is listed, and whether it was sent in time."""

    notice: str
    reference: str
    dsc: str
    kind: str
    at: datetime
    due: date
    sent: datetime | None

    def is_late(self, today: date) -> bool:
        return (self.sent.date() if self.sent else today) > self.due


class Notices:
    """Notices to coordinators that access begins or ends."""

    def __init__(self, engine: Engine, begin: BeginTransaction) -> None:
        self._engine, self._begin = engine, begin

    def add_for_ended_projects(self, now: datetime) -> int:
        """Add notices for projects whose last day is over; return their number. The API calls it once a minute."""
        with snapshot(self._engine) as session:
            if not projects_without_notice_of_end(session, now):
                return 0
        with self._begin(Mandate("service:notices", "their last day is over", now)) as transaction:
            ended = projects_without_notice_of_end(transaction.session, now)
            for project in ended:
                notice = add_notice(transaction.session, project, "access_ends", project.not_after)
                transaction.record("notice.added", notice.id, project=project.id)
        return len(ended)

    def list(self) -> tuple[NoticeLine, ...]:
        """Every notice, those to be sent first."""
        with snapshot(self._engine) as session:
            return list_notices(session)

    def record_sent(self, name: str, mandate: Mandate) -> None:
        """Record that the coordinator has been informed. Raises UnknownRecord."""
        with self._begin(mandate) as transaction:
            notice = transaction.session.get(Notice, name)
            if notice is None:
                raise UnknownRecord(
                    f"notice: there is no notice {name[:60]!r}; see 'notice list'.",
                    parameter="notice",
                    value=name,
                )
            notice.sent = notice.sent or mandate.at
            transaction.record("notice.sent", notice.id, project=notice.project_id)


def add_notice(session: Session, project: Project, kind: str, at: datetime) -> Notice:
    """Add a notice that access begins (`access_begins`) or ends (`access_ends`) at a moment."""
    notice = Notice(
        id=new_identifier("ntc"),
        project_id=project.id,
        kind=kind,
        at=at,
        due=after_working_days(at.date(), NOTICE_DAYS, project.dsc),
    )
    session.add(notice)
    session.flush()
    return notice


def add_notice_of_end(session: Session, project: Project, at: datetime) -> Notice | None:
    """Add a notice of an end if access has begun. If it has not begun and no notice of it was sent, delete that notice."""
    begins = session.scalars(
        select(Notice).where(Notice.project_id == project.id, Notice.kind == "access_begins")
    ).first()
    if begins is None:
        return None
    if begins.at > at and begins.sent is None:
        session.delete(begins)
        session.flush()
        return None
    return add_notice(session, project, "access_ends", at)


def projects_without_notice_of_end(session: Session, now: datetime) -> Sequence[Project]:
    """Projects whose last day is over, which had a member, which no admin has ended, and without a notice of their end."""
    began, ended = (
        select(Notice.project_id).where(Notice.kind == kind) for kind in ("access_begins", "access_ends")
    )
    query = select(Project).where(
        Project.not_after <= now, Project.status != "ended", Project.id.in_(began), Project.id.not_in(ended)
    )
    return session.scalars(query).all()


def list_notices(session: Session) -> tuple[NoticeLine, ...]:
    """Every notice, those to be sent first."""
    query = select(Notice, Project).join(Project, Project.id == Notice.project_id)
    found = session.execute(query.order_by(Notice.sent.is_not(None), Notice.due, Notice.id))
    return tuple(NoticeLine(n.id, p.reference, p.dsc, n.kind, n.at, n.due, n.sent) for n, p in found)
