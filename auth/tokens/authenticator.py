"""From a bearer token to its principal, on every request; and when each token was last used."""

from __future__ import annotations

import logging
from datetime import datetime
from threading import Lock

from sqlalchemy import Engine, or_, update

from auth.crypto.jwt import Claims, ensure_claims
from auth.crypto.verification_cache import VerificationCache
from auth.db.engine import write_transaction
from auth.db.models import Token
from auth.errors import KeyUnusable, RegistryUnavailable, TokenRefused
from auth.settings import RegistrySettings
from auth.tokens.principal import Principal, principal_from_row
from auth.tokens.principal_cache import PrincipalCache

log = logging.getLogger("daylight.auth")


class TokenAuthenticator:
    """Checks tokens and keeps the times of their last use in memory until they are written. Safe from several threads."""

    def __init__(self, engine: Engine, signatures: VerificationCache, settings: RegistrySettings) -> None:
        self._engine = engine
        self._signatures = signatures
        self._settings = settings
        self._standings = PrincipalCache(engine)
        self._used: dict[str, datetime] = {}
        self._used_lock = Lock()

    def principal(self, text: str, now: datetime) -> Principal:
        """The holder of this token (its text, without the word Bearer), looked up anew on each call.

        Raises TokenRefused (one refusal outside, `cause` for the log) and RegistryUnavailable.
        """
        try:
            kid, claims = self.verify(text, now)
            principal = principal_from_row(self._standings.find(claims.jti), kid, claims, now)
        except KeyUnusable as damaged:
            raise RegistryUnavailable(damaged.sentence) from None
        except TokenRefused as refused:
            log.info("token refused: %s", refused.cause, extra={"cause": refused.cause})
            raise
        with self._used_lock:
            self._used[principal.token_id] = now
        return principal

    def verify(self, text: str, now: datetime) -> tuple[str, Claims]:
        """The kid and the claims of a token that is signed and valid now, without a look at its row. Raises TokenRefused."""
        kid, claims = self._signatures.verify(text)
        ensure_claims(claims, self._settings.issuer, self._settings.audience, now)
        return kid, claims

    def write_last_uses(self) -> int:
        """Write when tokens were last used, as collected since the last call; return how many tokens.

        Call it from a worker thread about once a minute; `Registry.close` calls it too. What cannot be written now
        is kept for the next call. Raises RegistryUnavailable.
        """
        with self._used_lock:
            used, self._used = self._used, {}
        if not used:
            return 0
        try:
            with write_transaction(self._engine) as session:
                for token_id, moment in used.items():
                    later = or_(Token.last_used.is_(None), Token.last_used < moment)
                    session.execute(
                        update(Token).where(Token.jti == token_id, later).values(last_used=moment)
                    )
        except RegistryUnavailable:
            with self._used_lock:
                self._used = used | self._used
            raise
        return len(used)

    def close(self) -> None:
        """Close the connection of the cache of principals."""
        self._standings.close()
