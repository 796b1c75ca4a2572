"""What admins do with tokens: issue, replace, narrow, revoke, list and identify them, each change with its audit event."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from auth.audit.chain import Mandate
from auth.audit.transaction import BeginTransaction
from auth.crypto.jwt import read_claims_ignoring_expiry, sign_token
from auth.crypto.keyring import Keyring
from auth.crypto.keys import Signer
from auth.db.engine import fetch_rows, snapshot
from auth.db.models import Token
from auth.errors import NotAllowed, TokenRefused, UnknownRecord
from auth.settings import RegistrySettings
from auth.tokens import issuing, revocation, rotation
from auth.tokens.authenticator import TokenAuthenticator
from auth.tokens.issuing import IssuedToken, NewToken, TokenLine
from auth.tokens.principal import SELECT_PRINCIPAL, ensure_issued
from auth.tokens.revocation import Revocation

log = logging.getLogger("daylight.auth")


class Tokens:
    """The tokens of one registry. `name` is a token's identifier, or the text of a token that verifies."""

    def __init__(
        self,
        engine: Engine,
        keyring: Keyring,
        settings: RegistrySettings,
        begin: BeginTransaction,
        authenticator: TokenAuthenticator,
    ) -> None:
        self._engine = engine
        self._keyring = keyring
        self._settings = settings
        self._begin = begin
        self._authenticator = authenticator

    def issue(self, new: NewToken, mandate: Mandate) -> IssuedToken:
        """Issues a token. Its row and its audit event are committed before its text is returned.

        Raises UnknownRecord, MalformedValue, NotAllowed, and KeyUnusable if this host cannot sign.
        """
        with self._begin(mandate) as transaction:
            signer = self._keyring.signer(transaction.session, "token")
            token, again = issuing.issue_token(transaction.session, new, signer.kid, mandate.at)
            if token.kid != signer.kid:
                raise NotAllowed(
                    "idempotency_key: the key that signed this token has been rotated; choose another "
                    "idempotency key for another token.",
                    parameter="idempotency_key",
                    value=new.idempotency_key or "",
                )
            text = self._sign(token, signer)
            transaction.record(
                "token.shown_again" if again else "token.issued",
                token.jti,
                project=token.project_id,
                researcher=token.researcher_id,
                scopes=token.scopes,
                expires=token.expires.isoformat(),
            )
        log.info("token issued", extra={"token_id": token.jti, "project": token.project_id})
        return IssuedToken(text, token.jti, token.expires, again)

    def revoke(self, name: str, mandate: Mandate) -> Revocation:
        """Revokes a token and its family from the next request on, with one audit event for each token that it closes,
        or one that nothing was left to close.

        A text that has expired names its token too: it may have been rotated while it was valid. Raises UnknownRecord.
        """
        token_id = self.ensure_genuine(name) if "." in name else name
        with self._begin(mandate) as transaction:
            named, was, closed = revocation.revoke_family(transaction.session, token_id, mandate.at)
            facts = {"project": named.project_id, "named": named.jti, "named_was": was}
            for token in closed:
                transaction.record("token.revoked", token.jti, **facts)
            if not closed:
                transaction.record("token.revoked_again", named.jti, **facts)
        for token in closed:
            log.info("token revoked", extra={"token_id": token.jti, "project": token.project_id})
        return Revocation(named.jti, named in closed, tuple(token.jti for token in closed))

    def rotate(self, name: str, overlap: timedelta, mandate: Mandate) -> IssuedToken:
        """Issues a token to replace an active one, which stays valid for the overlap.

        Raises UnknownRecord, MalformedValue, NotAllowed, KeyUnusable.
        """
        token_id = self._token_id(name, mandate.at)
        with self._begin(mandate) as transaction:
            signer = self._keyring.signer(transaction.session, "token")
            new, old = rotation.rotate_token(transaction.session, token_id, signer.kid, overlap, mandate.at)
            text = self._sign(new, signer)
            until = old.revoked.isoformat() if old.revoked else ""
            transaction.record("token.rotated", old.jti, project=old.project_id, by=new.jti, until=until)
        return IssuedToken(text, new.jti, new.expires, again=False)

    def narrow(self, name: str, scopes: frozenset[str], mandate: Mandate) -> str:
        """Reduces the scopes of the current token of a family, and of predecessors that are still valid.

        Returns its identifier. Raises UnknownRecord, and NotAllowed, also for a token that was replaced.
        """
        token_id = self._token_id(name, mandate.at)
        with self._begin(mandate) as transaction:
            for token in rotation.narrow_tokens(transaction.session, token_id, scopes, mandate.at):
                facts = {"project": token.project_id, "scopes": token.narrowed, "named": token_id}
                transaction.record("token.narrowed", token.jti, **facts)
        return token_id

    def list(self, now: datetime, project: str | None = None) -> Sequence[TokenLine]:
        """Every token, or those of one project, the latest first. Raises UnknownRecord."""
        with snapshot(self._engine) as session:
            return issuing.list_tokens(session, now, project)

    def unclosed(self, now: datetime) -> Sequence[TokenLine]:
        """Tokens that are still open although somebody revoked a token of their chain of rotations, the latest first.

        Before version 0.2.0 a revocation closed one token alone.
        """
        with snapshot(self._engine) as session:
            families = revocation.find_revoked_families(session)
            lines = issuing.list_tokens(session, now)
        return [line for line in lines if line.family in families and line.state not in issuing.CLOSED]

    def find(self, name: str, now: datetime) -> TokenLine:
        """One token as it is listed. Raises UnknownRecord."""
        token_id = self._token_id(name, now)
        with snapshot(self._engine) as session:
            issuing.find_token(session, token_id)
            return issuing.list_tokens(session, now, token_id=token_id)[0]

    def identify(self, text: str, now: datetime) -> TokenLine:
        """Identifies a token by its text, even if it has expired or was revoked.

        Raises UnknownRecord.
        """
        settings = self._settings
        try:
            _, claims = read_claims_ignoring_expiry(
                text, self._keyring.token_key, settings.issuer, settings.audience
            )
        except TokenRefused:
            raise UnknownRecord(
                "token: this text is not a token of this registry.", parameter="token"
            ) from None
        with snapshot(self._engine) as session:
            found = issuing.list_tokens(session, now, token_id=claims.jti)
        if not found:
            raise UnknownRecord("token: this text is not a token of this registry.", parameter="token")
        return found[0]

    def ensure_genuine(self, text: str) -> str:
        """The identifier of the token with this text, even if it has expired or was revoked.

        Raises UnknownRecord, also if the key that signed it was revoked: whoever stole that key could have written it.
        """
        settings, find_key = self._settings, self._keyring.token_key
        try:
            kid, claims = read_claims_ignoring_expiry(text, find_key, settings.issuer, settings.audience)
            rows = fetch_rows(self._engine, SELECT_PRINCIPAL, {"jti": claims.jti})
            ensure_issued(rows[0] if rows else None, kid, claims)
        except TokenRefused:
            raise UnknownRecord(
                "token: this text is not a token of this registry, or its key was revoked; give its identifier: "
                "'daylight admin token identify' prints it, also if the key was revoked.",
                parameter="token",
            ) from None
        return claims.jti

    def _sign(self, token: Token, signer: Signer) -> str:
        return sign_token(issuing.claims_of(token, self._settings.issuer, self._settings.audience), signer)

    def _token_id(self, name: str, now: datetime) -> str:
        if "." not in name:
            return name
        try:
            return self._authenticator.verify(name, now)[1].jti
        except TokenRefused:
            raise UnknownRecord(
                "token: this text is not a token of this registry, or one that has expired; give its identifier, as "
                "in 'token list'.",
                parameter="token",
            ) from None
