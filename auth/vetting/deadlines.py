"""Statutory deadlines of a reasoned request: how long each period is, and what starts and stops it.

docs/law.md#clocks-of-a-reasoned-request has the articles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.calendar import after_days, after_working_days, working_days_from
from auth.db.models import Application, Clock
from auth.errors import MalformedValue, NotAllowed, printable, similar_options


@dataclass(frozen=True)
class StatutoryPeriod:
    """How long a period is, who must act before it ends, and which article says so."""

    days: int
    working: bool
    whose: str
    law: str
    first_day_counts: bool = False

    def due(self, began: date, state: str) -> date:
        """The last day of the period that begins after a day, or with it if the first day counts."""
        if self.first_day_counts:
            return working_days_from(began, self.days, state)
        return (after_working_days if self.working else after_days)(began, self.days, state)


DSA, DATA_ACCESS_ACT = "Regulation (EU) 2022/2065, Art. 40", "Delegated Regulation (EU) 2025/2050, Art. 13"
STATUTORY_PERIODS = {
    "amendment": StatutoryPeriod(15, False, "the provider asks for an amendment", f"{DSA}(5)"),
    "amendment-decision": StatutoryPeriod(15, False, "the coordinator decides on the amendment", f"{DSA}(6)"),
    "mediation-request": StatutoryPeriod(5, True, "the provider asks for mediation", f"{DATA_ACCESS_ACT}(1)"),
    "mediator": StatutoryPeriod(
        20, True, "both sides agree on a mediator and begin the mediation", f"{DATA_ACCESS_ACT}(4)"
    ),
    "mediation": StatutoryPeriod(
        40, True, "the mediation ends", f"{DATA_ACCESS_ACT}(9)", first_day_counts=True
    ),
}
"""By the kind of deadline. The mediation's 40 days are the most that the coordinator may set; they begin when it begins."""
MEDIATION_STEPS = {
    "asked": (("mediation-request",), ("mediator",)),
    "agreed": (("mediator",), ("mediation",)),
    "ended": (("mediator", "mediation"), ()),
}
"""For each step of a mediation, the deadlines that it stops, of which one must be running, and those that it starts.

The step `agreed` is recorded on the day on which the mediation begins.
"""


@dataclass(frozen=True)
class StatutoryDeadline:
    """A deadline as it is listed; `ended` is when what was due was done."""

    reference: str
    dsc: str
    kind: str
    whose: str
    law: str
    began: datetime
    due: date
    ended: datetime | None

    def is_late(self, today: date) -> bool:
        return (self.ended.date() if self.ended else today) > self.due


def due_date(kind: str, began: date, state: str) -> date:
    """The last day of a period of this kind that a day starts."""
    return STATUTORY_PERIODS[kind].due(began, state)


def update_deadlines(session: Session, application: Application, state: str, now: datetime) -> None:
    """Start and stop the deadlines of an application that has a new state."""
    if state == "returned":
        _start_clock(session, application, "amendment-decision", now)
    elif state == "submitted":
        _stop_clock(session, application, "amendment-decision", now)
        if not {"mediator", "mediation"} & {clock.kind for clock in _running_clocks(session, application)}:
            _start_clock(session, application, "mediation-request", now)
    else:
        for clock in _running_clocks(session, application):
            clock.ended = now
    session.flush()


def record_mediation_step(session: Session, application: Application, step: str, now: datetime) -> None:
    """Record a step of a mediation. Raises MalformedValue, and NotAllowed if the deadline that it stops is not running."""
    if step not in MEDIATION_STEPS:
        raise MalformedValue(
            f"step: {printable(step)!r} is none of {', '.join(MEDIATION_STEPS)}.",
            parameter="step", value=step, allowed=tuple(MEDIATION_STEPS), suggestions=similar_options(step, MEDIATION_STEPS),
        )  # fmt: skip
    stops, starts = MEDIATION_STEPS[step]
    running = {clock.kind for clock in _running_clocks(session, application)}
    if running.isdisjoint(stops):
        raise NotAllowed(
            f"step: {application.reference} has no running deadline {stops[-1]!r}, which {step!r} would end; running: "
            f"{', '.join(sorted(running)) or 'none'}.",
            parameter="step",
            value=step,
        )
    for kind in stops:
        _stop_clock(session, application, kind, now)
    for kind in starts:
        _start_clock(session, application, kind, now)
    session.flush()


def list_deadlines(session: Session) -> list[StatutoryDeadline]:
    """Every deadline of every application: the running ones first, then by the day on which they are due."""
    query = select(Clock, Application).join(Application, Application.id == Clock.application_id)
    query = query.order_by(Clock.began)
    lines = [_as_deadline(a, c.kind, c.began, c.due, c.ended) for c, a in session.execute(query)]
    returned = {line.reference: line.began for line in reversed(lines) if line.kind == "amendment-decision"}
    lines += [
        _as_deadline(a, "amendment", a.received, a.amendment_by, returned.get(a.reference) or a.decided)
        for a in session.scalars(select(Application))
    ]
    return sorted(lines, key=lambda line: (line.ended is not None, line.due, line.reference, line.kind))


def _as_deadline(
    a: Application, kind: str, began: datetime, due: date, ended: datetime | None
) -> StatutoryDeadline:
    period = STATUTORY_PERIODS[kind]
    return StatutoryDeadline(a.reference, a.dsc, kind, period.whose, period.law, began, due, ended)


def _running_clocks(session: Session, application: Application) -> Sequence[Clock]:
    query = select(Clock).where(Clock.application_id == application.id, Clock.ended.is_(None))
    return session.scalars(query).all()


def _start_clock(session: Session, application: Application, kind: str, now: datetime) -> None:
    _stop_clock(session, application, kind, now)
    due = due_date(kind, now.date(), application.dsc)
    session.add(Clock(application_id=application.id, kind=kind, began=now, due=due))


def _stop_clock(session: Session, application: Application, kind: str, now: datetime) -> None:
    for clock in _running_clocks(session, application):
        if clock.kind == kind:
            clock.ended = now
