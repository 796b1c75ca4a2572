"""Authenticates each request by its bearer token, and records when each token was last used."""

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
    """Authenticates tokens, and keeps the times of their last use in memory until they are written. Thread-safe."""

    def __init__(
        self, engine: Engine, verification_cache: VerificationCache, settings: RegistrySettings
    ) -> None:
        self._engine = engine
        self._verification_cache = verification_cache
        self._settings = settings
        self._principal_cache = PrincipalCache(engine)
        self._used: dict[str, datetime] = {}
        self._used_lock = Lock()

    def principal(self, text: str, now: datetime) -> Principal:
        """The principal of a token (its text, without the word Bearer), as the registry has it now.

        Raises TokenRefused, whose sentence is always the same and whose `cause` is for the log only, and RegistryUnavailable.
        """
        try:
            kid, claims = self.verify(text, now)
            principal = principal_from_row(self._principal_cache.find(claims.jti), kid, claims, now)
        except KeyUnusable as damaged:
            raise RegistryUnavailable(damaged.sentence) from None
        except TokenRefused as refused:
            log.info("token refused: %s", refused.cause, extra={"cause": refused.cause})
            raise
        with self._used_lock:
            self._used[principal.token_id] = now
        return principal

    def verify(self, text: str, now: datetime) -> tuple[str, Claims]:
        """The kid and the claims of a token with a valid signature and claims; its row is not read. Raises TokenRefused."""
        kid, claims = self._verification_cache.verify(text)
        ensure_claims(claims, self._settings.issuer, self._settings.audience, now)
        return kid, claims

    def write_last_uses(self) -> int:
        """Writes the last uses of tokens since the last call; returns the number of tokens.

        Call it from a worker thread about once a minute; `Registry.close` calls it too. If they cannot be written, they
        are kept for the next call. Raises RegistryUnavailable.
        """
        with self._used_lock:
            used, self._used = self._used, {}
        if not used:
            return 0
        try:
            with write_transaction(self._engine) as session:
                for token_id, used_at in used.items():
                    later = or_(Token.last_used.is_(None), Token.last_used < used_at)
                    session.execute(
                        update(Token).where(Token.jti == token_id, later).values(last_used=used_at)
                    )
        except RegistryUnavailable:
            with self._used_lock:
                self._used = used | self._used
            raise
        return len(used)

    def close(self) -> None:
        """Closes the connection of the principal cache."""
        self._principal_cache.close()
