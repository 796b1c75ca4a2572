"""The registry's keys: which one signs, which verify, and how the next takes over.

A key is `next` (published before it signs), `active` (signs), `retired` (verifies what it signed) or
`revoked` (verifies nothing). There is a key of its own for tokens, for releases and for the audit, so that
the host that builds releases need not hold the key that lets people in.
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
from auth.errors import KeyUnusable, NotAllowed, UnknownRecord, shown

VERIFYING = ("active", "retired")
_PUBLISHED = ("next", "active", "retired")


class Keyring:
    """The keys of one registry: public halves from its tables, private halves from a directory."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self._engine = engine
        self._directory = directory
        self._token_keys: dict[str, Key] = {}  # a kid names one key for ever, so nothing here grows old

    def token_key(self, kid: str) -> Key | None:
        """The public key of this kid if it is for tokens, whatever its status: the caller looks that up."""
        if kid not in self._token_keys:
            for row in fetch_rows(self._engine, _select_public_keys("token").where(SigningKey.kid == kid)):
                self._token_keys[kid] = public_key(row.kid, row.public_pem)
        return self._token_keys.get(kid)

    def release_key(self, kid: str) -> Key | None:
        """The public key of this kid if it may verify releases today. Raises RegistryUnavailable."""
        asked = _select_public_keys("release").where(SigningKey.kid == kid, SigningKey.status.in_(VERIFYING))
        return next((public_key(row.kid, row.public_pem) for row in fetch_rows(self._engine, asked)), None)

    def audit_key(self, session: Session, kid: str) -> Key | None:
        """The public key of this kid if it may verify the audit today."""
        asked = _select_public_keys("audit").where(SigningKey.kid == kid, SigningKey.status.in_(VERIFYING))
        return next((public_key(row.kid, row.public_pem) for row in session.execute(asked)), None)

    def signer(self, session: Session, purpose: Purpose) -> Signer:
        """The key that signs for this purpose. Raises KeyUnusable."""
        return read_private_key(self._directory, self._find_by_status(session, purpose, "active").kid)

    def jwks(self) -> dict[str, Any]:
        """The public keys for tokens and releases, RFC 7517. Raises RegistryUnavailable."""
        asked = (
            select(SigningKey.kid, SigningKey.public_pem)
            .where(SigningKey.purpose.in_(("token", "release")), SigningKey.status.in_(_PUBLISHED))
            .order_by(SigningKey.created, SigningKey.kid)
        )
        return {"keys": [public_jwk(row.kid, row.public_pem) for row in fetch_rows(self._engine, asked)]}

    def list(self, session: Session) -> Sequence[SigningKey]:
        """Every key, by purpose and age."""
        return session.scalars(
            select(SigningKey).order_by(SigningKey.purpose, SigningKey.created, SigningKey.status)
        ).all()

    def create_initial_keys(self, session: Session, now: datetime) -> None:
        """An active and a next key for each purpose that has none."""
        for purpose in PURPOSES:
            if session.scalar(select(SigningKey).where(SigningKey.purpose == purpose).limit(1)) is None:
                first = self._create_key(session, purpose, now)
                first.status, first.activated = "active", now
                self._create_key(session, purpose, now)
        session.flush()

    def rotate(self, session: Session, purpose: Purpose, now: datetime) -> tuple[str, str, str]:
        """The next key takes over, and a new one stands by. The kids now retired, active and next.

        Raises KeyUnusable where this host does not hold the key that would take over.
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
        """Let another sign in place of a key that is to be revoked: its purpose, and its successor where it was active.

        Raises UnknownRecord, NotAllowed for one that is revoked already, KeyUnusable.
        """
        row = session.get(SigningKey, kid)
        if row is None:
            raise UnknownRecord(
                f"kid: there is no key {shown(kid)!r}; see 'key list'.", parameter="kid", value=kid
            )
        if row.status == "revoked":
            raise NotAllowed(f"kid: {kid} is revoked already.", parameter="kid", value=kid)
        purpose = cast("Purpose", row.purpose)
        if row.status == "active":
            return purpose, self.rotate(session, purpose, now)[1]
        if row.status == "next":
            row.status = "retired"
            session.flush()
            self._create_key(session, purpose, now)
        return purpose, None

    def revoke(self, session: Session, kid: str) -> None:
        """Whatever this key signed verifies no more. It has stepped down before."""
        row = session.get_one(SigningKey, kid)
        row.status = "revoked"
        session.flush()

    def _create_key(self, session: Session, purpose: Purpose, now: datetime) -> SigningKey:
        key = generate_key()
        write_private_key(self._directory, key)  # before its row: a row without a file would sign nothing
        row = SigningKey(kid=key.kid, purpose=purpose, status="next", public_pem=key.public_pem, created=now)
        session.add(row)
        return row

    def _find_by_status(self, session: Session, purpose: Purpose, status: str) -> SigningKey:
        asked = select(SigningKey).where(SigningKey.purpose == purpose, SigningKey.status == status)
        row = session.scalars(asked).one_or_none()
        if row is None:
            raise KeyUnusable(
                f"The registry does not have exactly one {status} key for {purpose}.", value=purpose
            )
        return row


def _select_public_keys(purpose: Purpose) -> Select[str, str]:
    return select(SigningKey.kid, SigningKey.public_pem).where(SigningKey.purpose == purpose)
