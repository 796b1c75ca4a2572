"""Acts that two people must agree to, where that is set: the first one's word is kept, the second one does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from auth.audit.transaction import AuditedTransaction
from auth.db.admin_models import Consent
from auth.db.models import AuditEvent
from auth.errors import NotAllowed

LASTS = timedelta(days=7)
"""For how long a word stands."""
PROJECT_APPROVAL, RELEASE_WITHDRAWAL = "project-approval", "release-withdrawal"


@dataclass(frozen=True)
class FourEyes:
    """Which acts need two people."""

    acts: frozenset[str]

    def agreed(self, act: AuditedTransaction, which: str, subject: str) -> bool:
        """Whether this act may be done now; if not, this word is kept. Raises NotAllowed for the same person twice.

        Words stand until they lapse or are forgotten: an act that is cut off half-way needs no new ones.
        """
        if which not in self.acts:
            return True
        words = act.session.scalars(
            select(Consent).where(
                Consent.act == which, Consent.subject == subject, Consent.at > act.mandate.at - LASTS
            )
        ).all()
        own = next((word for word in words if word.actor == act.mandate.by), None)
        agreed = len(words) > (own is not None)
        if own is None:
            keep_word(act, which, subject)
        elif not agreed:
            raise NotAllowed(
                f"{which}: you have agreed to this already; another person must, until {own.at + LASTS:%Y-%m-%d %H:%M} "
                "UTC.",
                parameter="act",
                value=which,
            )
        return agreed


def keep_word(act: AuditedTransaction, which: str, subject: str) -> None:
    """Keep this person's word, in place of an earlier one of theirs, and put it on record."""
    mandate = act.mandate
    act.session.merge(
        Consent(act=which, subject=subject, actor=mandate.by, reason=mandate.reason, at=mandate.at)
    )
    act.session.flush()
    act.record(f"{which}.asked", subject)


def forget(session: Session, which: str, subject: str) -> None:
    """The act is done, or what was agreed to is another thing now: the words lapse."""
    session.execute(delete(Consent).where(Consent.act == which, Consent.subject == subject))


def forget_words_of(session: Session, actor: str) -> None:
    """Whoever gave them has no say any more: their words lapse."""
    session.execute(delete(Consent).where(Consent.actor == actor))


def waiting(session: Session, now: datetime) -> Sequence[Consent]:
    """The words that wait for a second person's, or for the host that builds, the oldest first."""
    done = select(AuditEvent.seq).where(
        AuditEvent.act == "release.withdrawn",
        AuditEvent.subject == Consent.subject,
        AuditEvent.at >= Consent.at,
    )
    asked = select(Consent).where(Consent.at > now - LASTS, ~done.exists()).order_by(Consent.at)
    words = session.scalars(asked).all()
    given = Counter((word.act, word.subject) for word in words)
    return [word for word in words if given[word.act, word.subject] == 1]
