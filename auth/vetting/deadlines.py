"""Clocks of a reasoned request that is argued about: until when each side must have done what, as the law counts days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.calendar import after_days, after_working_days
from auth.db.models import Application, Clock
from auth.errors import MalformedValue, NotAllowed, nearest, shown


@dataclass(frozen=True)
class StatutoryPeriod:
    """How long a clock runs, who must act before it ends, and where that stands."""

    days: int
    working: bool
    whose: str
    law: str

    def due(self, began: date, state: str) -> date:
        """The last day of the period that begins after a day."""
        return (after_working_days if self.working else after_days)(began, self.days, state)


DSA, ACT = "Regulation (EU) 2022/2065, Art. 40", "Delegated Regulation (EU) 2025/2050, Art. 13"
STATUTORY_PERIODS = {
    "amendment": StatutoryPeriod(15, False, "the provider asks for an amendment", f"{DSA}(5)"),
    "amendment-decision": StatutoryPeriod(15, False, "the coordinator decides on the amendment", f"{DSA}(6)"),
    "mediation-request": StatutoryPeriod(5, True, "the provider asks for mediation", ACT),
    "mediator": StatutoryPeriod(20, True, "both sides agree on a mediator", ACT),
    "mediation": StatutoryPeriod(40, True, "the mediation ends", ACT),
}
"""By the name of the clock. A mediator and an end are due from the day on which mediation was asked for."""
MEDIATION_STEPS = {
    "asked": (("mediation-request",), ("mediator", "mediation")),
    "agreed": (("mediator",), ()),
    "ended": (("mediator", "mediation"), ()),
}
"""What happens in a mediation: the clocks that it stops, and those that it starts. The first one it stops must be running."""


@dataclass(frozen=True)
class StatutoryDeadline:
    """A clock as it is listed; `ended` is when what was due was done."""

    reference: str
    dsc: str
    kind: str
    whose: str
    law: str
    began: datetime
    due: date
    ended: datetime | None

    def late(self, today: date) -> bool:
        return (self.ended.date() if self.ended else today) > self.due


def due_date(kind: str, began: date, state: str) -> date:
    """The last day of a clock that begins after a day."""
    return STATUTORY_PERIODS[kind].due(began, state)


def update_deadlines(session: Session, application: Application, state: str, now: datetime) -> None:
    """A request becomes something else, which starts and stops clocks."""
    if state == "returned":
        _start(session, application, "amendment-decision", now)
    elif state == "submitted":
        _stop(session, application, "amendment-decision", now)
        if "mediation" not in {clock.kind for clock in _running(session, application)}:
            _start(session, application, "mediation-request", now)
    else:
        for clock in _running(session, application):
            clock.ended = now
    session.flush()


def record_mediation_step(session: Session, application: Application, step: str, now: datetime) -> None:
    """A step of a mediation. Raises MalformedValue, and NotAllowed where the step is not due."""
    if step not in MEDIATION_STEPS:
        raise MalformedValue(
            f"step: {shown(step)!r} is none of {', '.join(MEDIATION_STEPS)}.",
            parameter="step", value=step, allowed=tuple(MEDIATION_STEPS), suggestions=nearest(step, MEDIATION_STEPS),
        )  # fmt: skip
    stops, starts = MEDIATION_STEPS[step]
    running = {clock.kind for clock in _running(session, application)}
    if stops[-1] not in running:
        raise NotAllowed(
            f"step: {application.reference} has no clock {stops[-1]!r} running, which {step!r} would stop; running: "
            f"{', '.join(sorted(running)) or 'none'}.",
            parameter="step",
            value=step,
        )
    for kind in stops:
        _stop(session, application, kind, now)
    for kind in starts:
        _start(session, application, kind, now)
    session.flush()


def list_deadlines(session: Session) -> list[StatutoryDeadline]:
    """Every clock of every request, those that run first, the earliest due before the others."""
    asked = select(Clock, Application).join(Application, Application.id == Clock.application_id)
    asked = asked.order_by(Clock.began)
    lines = [_deadline(a, c.kind, c.began, c.due, c.ended) for c, a in session.execute(asked)]
    returned = {line.reference: line.began for line in reversed(lines) if line.kind == "amendment-decision"}
    lines += [
        _deadline(a, "amendment", a.received, a.amendment_by, returned.get(a.reference) or a.decided)
        for a in session.scalars(select(Application))
    ]
    return sorted(lines, key=lambda line: (line.ended is not None, line.due, line.reference, line.kind))


def _deadline(
    a: Application, kind: str, began: datetime, due: date, ended: datetime | None
) -> StatutoryDeadline:
    period = STATUTORY_PERIODS[kind]
    return StatutoryDeadline(a.reference, a.dsc, kind, period.whose, period.law, began, due, ended)


def _running(session: Session, application: Application) -> Sequence[Clock]:
    asked = select(Clock).where(Clock.application_id == application.id, Clock.ended.is_(None))
    return session.scalars(asked).all()


def _start(session: Session, application: Application, kind: str, now: datetime) -> None:
    _stop(session, application, kind, now)
    due = due_date(kind, now.date(), application.dsc)
    session.add(Clock(application_id=application.id, kind=kind, began=now, due=due))


def _stop(session: Session, application: Application, kind: str, now: datetime) -> None:
    for clock in _running(session, application):
        if clock.kind == kind:
            clock.ended = now
