"""Dual control: actions that need the consent of two persons, if the settings say so; and the consents that are pending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from auth.audit.chain import Mandate
from auth.audit.transaction import AuditedTransaction, BeginTransaction
from auth.db.admin_models import Consent
from auth.db.engine import snapshot
from auth.db.models import AuditEvent
from auth.errors import NotAllowed

CONSENT_LIFETIME = timedelta(days=7)
PROJECT_APPROVAL, RELEASE_WITHDRAWAL = "project-approval", "release-withdrawal"


@dataclass(frozen=True)
class DualControl:
    """The actions that need the consent of two persons."""

    actions: frozenset[str]

    def consent(self, transaction: AuditedTransaction, action: str, subject: str) -> bool:
        """Record the consent of the mandate's person; return whether the action may be done now.

        Raises NotAllowed if the only consent so far is this person's own. Consents stay until they lapse or are cleared:
        an action that was interrupted needs no new ones.
        """
        if action not in self.actions:
            return True
        person, at = transaction.mandate.by, transaction.mandate.at
        consents = transaction.session.scalars(
            select(Consent).where(
                Consent.act == action, Consent.subject == subject, Consent.at > at - CONSENT_LIFETIME
            )
        ).all()
        own = next((consent for consent in consents if consent.actor == person), None)
        is_complete = len(consents) > (own is not None)
        if own is None:
            record_consent(transaction, action, subject)
        elif not is_complete:
            raise NotAllowed(
                f"{action}: you have consented to this already; another person must consent by "
                f"{own.at + CONSENT_LIFETIME:%Y-%m-%d %H:%M} UTC.",
                parameter="act",
                value=action,
            )
        return is_complete


class Consents:
    """Consents of admins in one registry, and the withdrawals of releases, which another host carries out."""

    def __init__(self, engine: Engine, begin: BeginTransaction, dual_control: DualControl) -> None:
        self._engine, self._begin, self._dual_control = engine, begin, dual_control

    def request_withdrawal(self, release: str, mandate: Mandate) -> None:
        """Record that an admin wants a release withdrawn; the host that builds does it. This counts as a consent."""
        with self._begin(mandate) as transaction:
            record_consent(transaction, RELEASE_WITHDRAWAL, release)

    def consent_to_withdrawal(self, release: str, mandate: Mandate) -> bool:
        """Whether a release may be withdrawn now; if not, this was the first of two consents. Raises NotAllowed."""
        with self._begin(mandate) as transaction:
            return self._dual_control.consent(transaction, RELEASE_WITHDRAWAL, release)

    def list_pending(self, now: datetime) -> Sequence[Consent]:
        """The consents that wait for a second person's, or for the host that builds, the oldest first."""
        with snapshot(self._engine) as session:
            return pending_consents(session, now)


def record_consent(transaction: AuditedTransaction, action: str, subject: str) -> None:
    """Keep this person's consent, in place of an earlier one of theirs, with an audit event."""
    mandate = transaction.mandate
    transaction.session.merge(
        Consent(act=action, subject=subject, actor=mandate.by, reason=mandate.reason, at=mandate.at)
    )
    transaction.session.flush()
    transaction.record(f"{action}.asked", subject)


def clear_consents(session: Session, action: str, subject: str) -> None:
    """Delete the consents to an action that was done, or whose subject has changed since."""
    session.execute(delete(Consent).where(Consent.act == action, Consent.subject == subject))


def clear_consents_of(session: Session, actor: str) -> None:
    """Delete the consents of a person whose account has ended or whose role has changed."""
    session.execute(delete(Consent).where(Consent.actor == actor))


def pending_consents(session: Session, now: datetime) -> Sequence[Consent]:
    """The consents that wait for a second person's, or for the host that builds, the oldest first."""
    withdrawn = select(AuditEvent.seq).where(
        AuditEvent.act == "release.withdrawn",
        AuditEvent.subject == Consent.subject,
        AuditEvent.at >= Consent.at,
    )
    query = select(Consent).where(Consent.at > now - CONSENT_LIFETIME, ~withdrawn.exists())
    consents = session.scalars(query.order_by(Consent.at)).all()
    count = Counter((consent.act, consent.subject) for consent in consents)
    return [consent for consent in consents if count[consent.act, consent.subject] == 1]
