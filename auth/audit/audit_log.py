"""The audit log of an open registry: export it, verify it, record what was done to a release."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from auth.audit.chain import Mandate, read_witness
from auth.audit.export import export_lines
from auth.audit.transaction import BeginTransaction
from auth.audit.verification import VerifiedChain, verify_chain
from auth.crypto.keyring import Keyring
from auth.db.engine import snapshot


class AuditLog:
    """The audit log of one registry."""

    def __init__(self, engine: Engine, keyring: Keyring, keys_dir: Path, begin: BeginTransaction) -> None:
        self._engine, self._keyring, self._keys_dir, self._begin = engine, keyring, keys_dir, begin

    def export(self, after: int = 0) -> Iterator[dict[str, object]]:
        """Every event after a position, then the signed head: enough to verify the chain elsewhere.

        No connection or transaction is held between two events, so a slow reader does not block others.
        """
        return export_lines(self._engine, after)

    def verify(self) -> VerifiedChain:
        """Verify the audit from its first event to its head. Raises ChainBroken with the position."""
        witness = read_witness(self._keys_dir)
        with snapshot(self._engine) as session:
            return verify_chain(session, partial(self._keyring.audit_key, session), witness)

    def record_release_event(self, action: str, release: str, mandate: Mandate) -> None:
        """Record what was done to a release outside the registry, such as its withdrawal."""
        with self._begin(mandate) as transaction:
            transaction.record(action, release)
