"""Operations on the registry's signing keys: publish, list, rotate and revoke them, sign and verify releases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Engine

from auth.audit.chain import Mandate
from auth.audit.transaction import BeginTransaction
from auth.crypto.jws import sign_detached, verify_detached
from auth.crypto.keyring import Keyring
from auth.crypto.keys import Purpose
from auth.db.engine import snapshot
from auth.db.models import SigningKey


class SigningKeys:
    """The keys of one registry. Each change is committed together with its audit event."""

    def __init__(self, engine: Engine, keyring: Keyring, begin: BeginTransaction) -> None:
        self._engine, self._keyring, self._begin = engine, keyring, begin

    def jwks(self) -> dict[str, Any]:
        """The public keys, as /.well-known/jwks.json serves them."""
        return self._keyring.jwks()

    def list(self) -> Sequence[SigningKey]:
        """Every key, by purpose and age."""
        with snapshot(self._engine) as session:
            return self._keyring.list(session)

    def release_signer(self) -> Callable[[bytes], str]:
        """A function that signs a manifest's bytes as a detached JWS with the active release key.

        Raises KeyUnusable if this host does not hold that key.
        """
        with snapshot(self._engine) as session:
            signer = self._keyring.signer(session, "release")
        return lambda payload: sign_detached(payload, signer, "release")

    def release_verifier(self) -> Callable[[bytes, str], None]:
        """A function that checks a manifest's bytes against its detached JWS.

        The function raises SignatureRefused, and RegistryUnavailable if a key must be looked up and cannot be.
        """
        key_of = self._keyring.release_key
        return lambda payload, signature: verify_detached(payload, signature, "release", key_of)

    def rotate(self, purpose: Purpose, mandate: Mandate) -> str:
        """Make the next key the active one and return its kid. What the old key signed stays valid.

        Raises KeyUnusable if this host does not hold the next key.
        """
        with self._begin(mandate) as transaction:
            old, new, following = self._keyring.rotate(transaction.session, purpose, mandate.at)
            transaction.record("key.rotated", new, purpose=purpose, retired=old, next=following)
        return new

    def revoke(self, kid: str, mandate: Mandate) -> str | None:
        """Refuse what this key signed, from the next request on. Returns the kid of its successor if the key was active.

        Raises UnknownRecord, NotAllowed if the key is revoked already, KeyUnusable.
        """
        with self._begin(mandate) as transaction:
            purpose, successor = self._keyring.supersede(transaction.session, kid, mandate.at)
            transaction.record("key.revoked", kid, purpose=purpose, successor=successor or "")
            # last, because the key may have signed the audit's head until the line above
            self._keyring.revoke(transaction.session, kid)
        return successor
