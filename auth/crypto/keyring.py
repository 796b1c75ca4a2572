"""The registry's keys: which one signs, which ones verify, and how they are rotated and revoked.

A key is `next` (published before it signs), `active` (signs), `retired` (verifies what it signed) or `revoked` (verifies
nothing). Tokens, releases and the audit log have separate keys, so that the host that builds releases does not need the
key that signs tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from jose.backends.base import Key
from sqlalchemy import Engine, Select, select
from sqlalchemy.orm import Session

from auth.crypto.keys import (
    PURPOSES,
    Purpose,
    Signer,
    generate_key,
    public_jwk,
    public_key,
    read_private_key,
    write_private_key,
)
from auth.db.engine import fetch_rows
from auth.db.models import SigningKey
from auth.errors import KeyUnusable, NotAllowed, UnknownRecord, printable

VERIFYING = ("active", "retired")
_PUBLISHED = ("next", "active", "retired")


class Keyring:
    """The keys of one registry: public keys from its tables, private keys from a directory."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self._engine = engine
        self._directory = directory
        # never stale: the key of a kid does not change, and its status is not kept here
        self._token_keys: dict[str, Key] = {}

    def token_key(self, kid: str) -> Key | None:
        """The public key of this kid if it is for tokens, whatever its status: the caller must check the status."""
        if kid not in self._token_keys:
            for row in fetch_rows(self._engine, _select_public_keys("token").where(SigningKey.kid == kid)):
                self._token_keys[kid] = public_key(row.kid, row.public_pem)
        return self._token_keys.get(kid)

    def release_key(self, kid: str) -> Key | None:
        """The public key of this kid if it may verify releases now. Raises RegistryUnavailable."""
        query = _select_public_keys("release").where(SigningKey.kid == kid, SigningKey.status.in_(VERIFYING))
        return next((public_key(row.kid, row.public_pem) for row in fetch_rows(self._engine, query)), None)

    def audit_key(self, session: Session, kid: str) -> Key | None:
        """The public key of this kid if it may verify the audit log now."""
        query = _select_public_keys("audit").where(SigningKey.kid == kid, SigningKey.status.in_(VERIFYING))
        return next((public_key(row.kid, row.public_pem) for row in session.execute(query)), None)

    def signer(self, session: Session, purpose: Purpose) -> Signer:
        """The key that signs for this purpose. Raises KeyUnusable."""
        return read_private_key(self._directory, self._find_by_status(session, purpose, "active").kid)

    def jwks(self) -> dict[str, Any]:
        """The public keys for tokens and releases as a JWK set, RFC 7517. Raises RegistryUnavailable."""
        query = (
            select(SigningKey.kid, SigningKey.public_pem)
            .where(SigningKey.purpose.in_(("token", "release")), SigningKey.status.in_(_PUBLISHED))
            .order_by(SigningKey.created, SigningKey.kid)
        )
        return {"keys": [public_jwk(row.kid, row.public_pem) for row in fetch_rows(self._engine, query)]}

    def list(self, session: Session) -> Sequence[SigningKey]:
        """Every key, ordered by purpose and age."""
        return session.scalars(
            select(SigningKey).order_by(SigningKey.purpose, SigningKey.created, SigningKey.status)
        ).all()

    def create_initial_keys(self, session: Session, now: datetime) -> None:
        """Creates an active and a next key for each purpose that has no key."""
        for purpose in PURPOSES:
            if session.scalar(select(SigningKey).where(SigningKey.purpose == purpose).limit(1)) is None:
                first = self._create_key(session, purpose, now)
                first.status, first.activated = "active", now
                self._create_key(session, purpose, now)
        session.flush()

    def rotate(self, session: Session, purpose: Purpose, now: datetime) -> tuple[str, str, str]:
        """Makes the next key active and creates a new next key. Returns the kids that are now retired, active and next.

        Raises KeyUnusable if this host does not hold the private key that would become active.
        """
        old, new = (
            self._find_by_status(session, purpose, "active"),
            self._find_by_status(session, purpose, "next"),
        )
        read_private_key(self._directory, new.kid)
        old.status, old.retired = "retired", now
        new.status, new.activated = "active", now
        following = self._create_key(session, purpose, now)
        session.flush()
        return old.kid, new.kid, following.kid

    def supersede(self, session: Session, kid: str, now: datetime) -> tuple[Purpose, str | None]:
        """Replaces a key before it is revoked. Returns its purpose, and the kid that signs now if the key was active.

        Raises UnknownRecord, NotAllowed if the key is already revoked, KeyUnusable.
        """
        row = session.get(SigningKey, kid)
        if row is None:
            raise UnknownRecord(
                f"kid: there is no key {printable(kid)!r}; see 'key list'.", parameter="kid", value=kid
            )
        if row.status == "revoked":
            raise NotAllowed(f"kid: {kid} is already revoked.", parameter="kid", value=kid)
        purpose = cast("Purpose", row.purpose)
        if row.status == "active":
            return purpose, self.rotate(session, purpose, now)[1]
        if row.status == "next":
            row.status = "retired"
            session.flush()
            self._create_key(session, purpose, now)
        return purpose, None

    def revoke(self, session: Session, kid: str) -> None:
        """Marks a key as revoked: its signatures are no longer valid. Call `supersede` first."""
        row = session.get_one(SigningKey, kid)
        row.status = "revoked"
        session.flush()

    def _create_key(self, session: Session, purpose: Purpose, now: datetime) -> SigningKey:
        key = generate_key()
        write_private_key(
            self._directory, key
        )  # before its row is added: a row without a file could not sign
        row = SigningKey(kid=key.kid, purpose=purpose, status="next", public_pem=key.public_pem, created=now)
        session.add(row)
        return row

    def _find_by_status(self, session: Session, purpose: Purpose, status: str) -> SigningKey:
        query = select(SigningKey).where(SigningKey.purpose == purpose, SigningKey.status == status)
        row = session.scalars(query).one_or_none()
        if row is None:
            raise KeyUnusable(
                f"The registry does not have exactly one {status} key for {purpose}.", value=purpose
            )
        return row


def _select_public_keys(purpose: Purpose) -> Select[str, str]:
    return select(SigningKey.kid, SigningKey.public_pem).where(SigningKey.purpose == purpose)
