"""Those who administer: who they are, how they are let in for a while, and what they may do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, bindparam, select, update
from sqlalchemy.orm import Session

from auth.admins.approvals import RELEASE_WITHDRAWAL, FourEyes, forget_words_of, keep_word, waiting
from auth.admins.roles import ROLES
from auth.audit.log import Mandate
from auth.audit.transaction import AuditedTransaction
from auth.crypto.jwt import Claims, ensure_claims, read_claims_ignoring_expiry, sign_token
from auth.crypto.keyring import VERIFYING, Keyring
from auth.db.admin_models import Admin, AdminSession, Consent
from auth.db.engine import fetch_rows, snapshot
from auth.db.models import SigningKey
from auth.errors import MalformedValue, NotAllowed, TokenRefused, UnknownRecord, nearest, shown
from auth.identifiers import new_identifier
from auth.settings import RegistrySettings
from auth.tokens.issuing import IssuedToken
from auth.validation import ensure_email, ensure_text

MINUTES, LONGEST = 30, 12 * 60
"""How long a session lasts when not said, and at most, in minutes."""
CLIENT = "admin"


@dataclass(frozen=True, slots=True)
class AdminPrincipal:
    """An admin who asks, as the registry says at this moment."""

    admin: str
    """`adm_...`"""
    role: str
    session: str
    """The session's jti: may be logged, opens nothing."""
    expires: datetime


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session as it is listed."""

    session: str
    admin: str
    email: str
    role: str
    issued: datetime
    expires: datetime


STANDING = (
    select(
        AdminSession.admin_id, AdminSession.kid, AdminSession.issued, AdminSession.expires, AdminSession.closed,
        Admin.role, Admin.ended, SigningKey.status.label("key_status"),
    )
    .join(Admin, Admin.id == AdminSession.admin_id)
    .join(SigningKey, SigningKey.kid == AdminSession.kid)
    .where(AdminSession.jti == bindparam("jti"))
)  # fmt: skip


class Admins:
    """The acts on admins and their sessions. Each raises RegistryUnavailable and ChainBroken besides what it says."""

    def __init__(
        self,
        engine: Engine,
        keyring: Keyring,
        settings: RegistrySettings,
        acting: Callable[[Mandate], AbstractContextManager[AuditedTransaction]],
    ) -> None:
        self._engine, self._keyring, self._settings, self._acting = engine, keyring, settings, acting

    @property
    def _audience(self) -> str:
        """Of their own: a researcher's token is none here, and theirs none there (RFC 8725, section 3.12)."""
        return f"{self._settings.audience}/admin"

    def principal(self, kid: str, claims: Claims, now: datetime) -> AdminPrincipal:
        """Who holds a session's token whose signature was good. Raises TokenRefused, RegistryUnavailable."""
        ensure_claims(claims, self._settings.issuer, self._audience, now)
        found = fetch_rows(self._engine, STANDING, {"jti": claims.jti})
        return _principal_of(found[0] if found else None, kid, claims, now)

    def add(self, name: str, email: str, role: str, mandate: Mandate) -> Admin:
        """Raises MalformedValue, NotAllowed."""
        _ensure_role(role)
        with self._acting(mandate) as act:
            address = ensure_email("email", email)
            known = act.session.scalars(select(Admin).where(Admin.email == address)).first()
            if known is not None and known.ended is None:
                raise NotAllowed(
                    f"email: {shown(address)!r} is an admin already; another role is given with 'admins change'.",
                    parameter="email",
                    value=address,
                )
            made = known or Admin(id=new_identifier("adm"), email=address)
            made.name, made.role, made.since, made.ended = ensure_text("name", name), role, mandate.at, None
            act.session.add(made)
            act.session.flush()
            act.record("admin.returned" if known else "admin.added", made.id, role=role)
        return made

    def change(self, name: str, role: str, mandate: Mandate) -> Admin:
        """An admin has another role from the next request on; what they agreed to as the first of two lapses.

        Raises UnknownRecord, MalformedValue, NotAllowed.
        """
        _ensure_role(role)
        with self._acting(mandate) as act:
            found = _find_present(act.session, name)
            forget_words_of(act.session, f"admin:{found.id}")
            before, found.role = found.role, role
            act.session.flush()
            act.record("admin.changed", found.id, role=role, before=before)
        return found

    def end(self, name: str, mandate: Mandate) -> Admin:
        """An admin is one no more: their sessions are closed, and what they agreed to as the first of two lapses.

        Raises UnknownRecord.
        """
        with self._acting(mandate) as act:
            found = _find(act.session, name)
            found.ended = found.ended or mandate.at
            forget_words_of(act.session, f"admin:{found.id}")
            act.session.execute(
                update(AdminSession)
                .where(AdminSession.admin_id == found.id, AdminSession.closed.is_(None))
                .values(closed=mandate.at)
            )
            act.record("admin.ended", found.id)
        return found

    def open_session(self, name: str, minutes: int, mandate: Mandate) -> IssuedToken:
        """Let an admin in for so many minutes. Raises UnknownRecord, NotAllowed, MalformedValue, KeyUnusable."""
        if not 1 <= minutes <= LONGEST:
            raise MalformedValue(
                f"minutes: {minutes} is none of 1 to {LONGEST}.", parameter="minutes", value=str(minutes)
            )
        with self._acting(mandate) as act:
            admin = _find_present(act.session, name)
            signer = self._keyring.signer(act.session, "token")
            at = mandate.at.astimezone(UTC).replace(microsecond=0)
            made = AdminSession(
                jti=new_identifier("tok"), admin_id=admin.id, kid=signer.kid, issued=at,
                expires=at + timedelta(minutes=minutes),
            )  # fmt: skip
            act.session.add(made)
            act.session.flush()
            issued, expires = int(made.issued.timestamp()), int(made.expires.timestamp())
            claims = Claims(
                self._settings.issuer,
                self._audience,
                admin.id,
                CLIENT,
                made.jti,
                admin.role,
                issued,
                issued,
                expires,
            )
            text = sign_token(claims, signer)
            act.record("session.opened", made.jti, admin=admin.id, expires=made.expires.isoformat())
        return IssuedToken(text, made.jti, made.expires, again=False)

    def identify_session(self, text: str) -> str:
        """The jti of a session whose token was found somewhere, also where it is over. Raises TokenRefused."""
        return read_claims_ignoring_expiry(
            text, self._keyring.token_key, self._settings.issuer, self._audience
        ).jti

    def close_session(self, jti: str, mandate: Mandate) -> None:
        """A session opens nothing from the next request on; one that is closed stays as it is. Raises UnknownRecord."""
        with self._acting(mandate) as act:
            found = act.session.get(AdminSession, jti)
            if found is None:
                raise UnknownRecord(
                    f"session: there is none of {shown(jti)!r}.", parameter="session", value=jti
                )
            if found.closed is None:
                found.closed = mandate.at
                act.record("session.closed", found.jti, admin=found.admin_id)

    def ask_withdrawal(self, release: str, mandate: Mandate) -> None:
        """An admin wants a release withdrawn, which the host that builds does. Where two people must agree, this is one."""
        with self._acting(mandate) as act:
            keep_word(act, RELEASE_WITHDRAWAL, release)

    def agree_to_withdrawal(self, release: str, mandate: Mandate) -> bool:
        """Whether a release may be withdrawn now; if not, this was the first of two words. Raises NotAllowed."""
        with self._acting(mandate) as act:
            return FourEyes(self._settings.two_people).agreed(act, RELEASE_WITHDRAWAL, release)

    def list(self) -> Sequence[Admin]:
        """Every admin, those of today first."""
        with snapshot(self._engine) as session:
            return session.scalars(select(Admin).order_by(Admin.ended.is_not(None), Admin.email)).all()

    def sessions(self, now: datetime) -> Sequence[SessionLine]:
        """The sessions that are open, the one that ends first first."""
        asked = (
            select(
                AdminSession.jti, Admin.id, Admin.email, Admin.role, AdminSession.issued, AdminSession.expires
            )
            .join(Admin, Admin.id == AdminSession.admin_id)
            .where(AdminSession.closed.is_(None), AdminSession.expires > now)
            .order_by(AdminSession.expires, AdminSession.jti)
        )
        with snapshot(self._engine) as session:
            return [SessionLine(*row) for row in session.execute(asked)]

    def waiting(self, now: datetime) -> Sequence[Consent]:
        """What one person has agreed to and another has not yet."""
        with snapshot(self._engine) as session:
            return waiting(session, now)


def _ensure_role(role: str) -> None:
    if role not in ROLES:
        raise MalformedValue(
            f"role: {shown(role)!r} is none of {', '.join(ROLES)}.",
            parameter="role", value=role, allowed=ROLES, suggestions=nearest(role, ROLES),
        )  # fmt: skip


def _find_present(session: Session, name: str) -> Admin:
    found = _find(session, name)
    if found.ended is not None:
        raise NotAllowed(f"admin: {found.id} is an admin no more.", parameter="admin", value=found.id)
    return found


def _find(session: Session, name: str) -> Admin:
    found = session.scalars(
        select(Admin).where((Admin.id == name) | (Admin.email == name.strip().lower()))
    ).first()
    if found is None:
        raise UnknownRecord(
            f"admin: there is none of {shown(name)!r}; see 'admins list'.",
            parameter="admin",
            value=name,
        )
    return found


def _principal_of(row: Row[Any] | None, kid: str, claims: Claims, now: datetime) -> AdminPrincipal:
    if row is None:
        raise TokenRefused("registry: the session is unknown")
    moments = int(row.issued.timestamp()), int(row.expires.timestamp())
    if (kid, claims.sub, claims.client_id, claims.iat, claims.exp) != (
        row.kid,
        row.admin_id,
        CLIENT,
        *moments,
    ):
        raise TokenRefused("registry: the session says other than its row")
    if row.key_status not in VERIFYING:
        raise TokenRefused("registry: the key is not in use")
    if row.ended is not None and row.ended <= now:
        raise TokenRefused("admin: not one now")
    if row.closed is not None and row.closed <= now:
        raise TokenRefused("session: closed")
    return AdminPrincipal(row.admin_id, row.role, claims.jti, row.expires)
