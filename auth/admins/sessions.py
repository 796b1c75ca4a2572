"""Sessions of admins: opened for some minutes, checked on every request, closed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, bindparam, select

from auth.admins.accounts import find_active_admin
from auth.audit.chain import Mandate
from auth.audit.transaction import BeginTransaction
from auth.crypto.jwt import Claims, ensure_claims, read_claims_ignoring_expiry, sign_token
from auth.crypto.keyring import VERIFYING, Keyring
from auth.crypto.verification_cache import VerificationCache
from auth.db.admin_models import Admin, AdminSession
from auth.db.engine import fetch_rows, snapshot
from auth.db.models import SigningKey
from auth.errors import MalformedValue, TokenRefused, UnknownRecord, printable
from auth.identifiers import new_identifier
from auth.settings import RegistrySettings
from auth.tokens.issuing import IssuedToken

log = logging.getLogger("daylight.auth")

DEFAULT_MINUTES, MAX_MINUTES = 30, 12 * 60
"""How long a session lasts."""
CLIENT = "admin"
"""The `client_id` in the token of every session."""


@dataclass(frozen=True, slots=True)
class AdminPrincipal:
    """The admin who sends a request, as the registry knows them at this moment."""

    admin: str
    """`adm_...`"""
    role: str
    session: str
    """The session's jti: may be logged, because it gives no access."""
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


SESSION_ROW = (
    select(
        AdminSession.admin_id, AdminSession.kid, AdminSession.issued, AdminSession.expires, AdminSession.closed,
        Admin.role, Admin.ended, SigningKey.status.label("key_status"),
    )
    .join(Admin, Admin.id == AdminSession.admin_id)
    .join(SigningKey, SigningKey.kid == AdminSession.kid)
    .where(AdminSession.jti == bindparam("jti"))
)  # fmt: skip
"""One look-up by primary keys for all that decides: session, admin, key."""


class Sessions:
    """The sessions of one registry's admins. Each change is committed together with its audit event."""

    def __init__(
        self,
        engine: Engine,
        keyring: Keyring,
        verification_cache: VerificationCache,
        settings: RegistrySettings,
        begin: BeginTransaction,
    ) -> None:
        self._engine = engine
        self._keyring = keyring
        self._verification_cache = verification_cache
        self._begin = begin
        self._issuer = settings.issuer
        # an audience of their own, so that no researcher's token is accepted here, nor the reverse (RFC 8725, section 3.12)
        self._audience = f"{settings.audience}/admin"

    def principal(self, text: str, now: datetime) -> AdminPrincipal:
        """The admin who holds this session's token, looked up anew on each call. Raises TokenRefused."""
        try:
            kid, claims = self._verification_cache.verify(text)
            ensure_claims(claims, self._issuer, self._audience, now)
            found = fetch_rows(self._engine, SESSION_ROW, {"jti": claims.jti})
            return _principal_of(found[0] if found else None, kid, claims, now)
        except TokenRefused as refused:
            log.info("token refused: %s", refused.cause, extra={"cause": refused.cause})
            raise

    def open(self, name: str, minutes: int, mandate: Mandate) -> IssuedToken:
        """A session of an admin and its token. Raises UnknownRecord, NotAllowed, MalformedValue, KeyUnusable."""
        if not 1 <= minutes <= MAX_MINUTES:
            raise MalformedValue(
                f"minutes: {minutes} is not between 1 and {MAX_MINUTES}.",
                parameter="minutes",
                value=str(minutes),
            )
        with self._begin(mandate) as transaction:
            admin = find_active_admin(transaction.session, name)
            signer = self._keyring.signer(transaction.session, "token")
            issued = mandate.at.astimezone(UTC).replace(microsecond=0)
            opened = AdminSession(
                jti=new_identifier("tok"), admin_id=admin.id, kid=signer.kid, issued=issued,
                expires=issued + timedelta(minutes=minutes),
            )  # fmt: skip
            transaction.session.add(opened)
            transaction.session.flush()
            text = sign_token(self._claims(opened, admin), signer)
            transaction.record(
                "session.opened", opened.jti, admin=admin.id, expires=opened.expires.isoformat()
            )
        return IssuedToken(text, opened.jti, opened.expires, again=False)

    def identify(self, text: str) -> str:
        """The jti of the session that has this token, for a token that was found somewhere; the session may be over.

        Raises TokenRefused.
        """
        _, claims = read_claims_ignoring_expiry(text, self._keyring.token_key, self._issuer, self._audience)
        return claims.jti

    def close(self, jti: str, mandate: Mandate) -> None:
        """Refuse a session's token from the next request on; a closed session stays as it is. Raises UnknownRecord."""
        with self._begin(mandate) as transaction:
            found = transaction.session.get(AdminSession, jti)
            if found is None:
                raise UnknownRecord(
                    f"session: there is no session {printable(jti)!r}.", parameter="session", value=jti
                )
            if found.closed is None:
                found.closed = mandate.at
                transaction.record("session.closed", found.jti, admin=found.admin_id)

    def list(self, now: datetime) -> Sequence[SessionLine]:
        """The open sessions, ordered by their end."""
        query = (
            select(
                AdminSession.jti, Admin.id, Admin.email, Admin.role, AdminSession.issued, AdminSession.expires
            )
            .join(Admin, Admin.id == AdminSession.admin_id)
            .where(AdminSession.closed.is_(None), AdminSession.expires > now)
            .order_by(AdminSession.expires, AdminSession.jti)
        )
        with snapshot(self._engine) as session:
            return [SessionLine(*row) for row in session.execute(query)]

    def _claims(self, opened: AdminSession, admin: Admin) -> Claims:
        issued = int(opened.issued.timestamp())
        return Claims(
            iss=self._issuer,
            aud=self._audience,
            sub=admin.id,
            client_id=CLIENT,
            jti=opened.jti,
            scope=admin.role,
            iat=issued,
            nbf=issued,
            exp=int(opened.expires.timestamp()),
        )


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
        raise TokenRefused("registry: the session differs from its row")
    if row.key_status not in VERIFYING:
        raise TokenRefused("registry: the key is not in use")
    if row.ended is not None and row.ended <= now:
        raise TokenRefused("admin: not one now")
    if row.closed is not None and row.closed <= now:
        raise TokenRefused("session: closed")
    return AdminPrincipal(row.admin_id, row.role, claims.jti, row.expires)
