"""An act: what it changes and what the audit says of it are committed together, or neither is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from auth.audit import Mandate, Position, append, ensure_untouched, read_witness, write_witness
from auth.database import writing
from auth.keyring import Keyring
from auth.keys import Signer


class Act:
    """A write under way, on a mandate. What is recorded here is committed with what is changed."""

    def __init__(self, session: Session, keyring: Keyring, keys_dir: Path, mandate: Mandate) -> None:
        self.session = session
        self.mandate = mandate
        self.last: Position | None = None
        self._keyring = keyring
        self._keys_dir = keys_dir
        self._signer: Signer | None = None

    def record(self, act: str, subject: str, **details: object) -> None:
        """Adds an event to the audit. `details` are identifiers and plain facts, never names of people.

        Raises ChainBroken where the audit was tampered with: nothing is done on top of that.
        """
        if self._signer is None:
            self._ensure_untouched()
            self._signer = self._keyring.signer(self.session, "audit")
        self.last = append(self.session, self.mandate, self._signer, act, subject, details)

    def _ensure_untouched(self) -> None:
        key_of = partial(self._keyring.audit_key, self.session)
        ensure_untouched(self.session, key_of, read_witness(self._keys_dir))


@contextmanager
def acting(engine: Engine, keyring: Keyring, keys_dir: Path, mandate: Mandate) -> Iterator[Act]:
    """One act, all or nothing. Raises RegistryUnavailable, besides what the block raises."""
    with writing(engine) as session:
        act = Act(session, keyring, keys_dir, mandate)
        yield act
    if act.last is not None:
        write_witness(keys_dir, act.last)
