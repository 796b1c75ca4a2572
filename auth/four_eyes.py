"""Acts that two people must agree to, where that is set: the first one's word is kept, the second one's does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.acts import Act
from auth.admin_tables import Consent
from auth.errors import NotAllowed

LASTS = timedelta(days=7)
"""For how long the first word waits for the second."""
PROJECT_APPROVAL, RELEASE_WITHDRAWAL = "project-approval", "release-withdrawal"


@dataclass(frozen=True)
class FourEyes:
    """Which acts need two people."""

    acts: frozenset[str]

    def agreed(self, act: Act, which: str, subject: str) -> bool:
        """Whether this act may be done now; if not, this word is kept. Raises NotAllowed for the same person twice."""
        if which not in self.acts:
            return True
        first = act.session.get(Consent, (which, subject))
        if first is not None and first.at + LASTS > act.mandate.at:
            if first.actor == act.mandate.by:
                raise NotAllowed(
                    f"{which}: you have agreed to this already; another person must, until {first.at + LASTS:%Y-%m-%d %H:%M} "
                    "UTC.",
                    parameter="act",
                    value=which,
                )
            act.session.delete(first)
            act.session.flush()
            return True
        keep_word(act, which, subject)
        return False


def keep_word(act: Act, which: str, subject: str) -> None:
    """Keep the first person's word, in place of one that has lapsed, and put it on record."""
    mandate = act.mandate
    act.session.merge(
        Consent(act=which, subject=subject, actor=mandate.by, reason=mandate.reason, at=mandate.at)
    )
    act.session.flush()
    act.record(f"{which}.asked", subject)


def forget(session: Session, which: str, subject: str) -> None:
    """What was agreed to is another thing now: the first word lapses."""
    found = session.get(Consent, (which, subject))
    if found is not None:
        session.delete(found)
        session.flush()


def waiting(session: Session, now: datetime) -> Sequence[Consent]:
    """What waits for a second person, the oldest first."""
    return session.scalars(select(Consent).where(Consent.at > now - LASTS).order_by(Consent.at)).all()
