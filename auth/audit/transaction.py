"""An act: what it changes and what the audit says of it are committed together, or neither is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from auth.audit.log import Mandate, Position, append_event, ensure_untouched, read_witness, write_witness
from auth.crypto.keyring import Keyring
from auth.db.engine import write_transaction

log = logging.getLogger("daylight.auth")


class AuditedTransaction:
    """A write under way, on a mandate. What is recorded here is committed with what is changed."""

    def __init__(self, session: Session, keyring: Keyring, keys_dir: Path, mandate: Mandate) -> None:
        self.session = session
        self.mandate = mandate
        self.last_position: Position | None = None
        self._keyring = keyring
        self._keys_dir = keys_dir

    def record(self, act: str, subject: str, **details: object) -> None:
        """Adds an event to the audit. `details` are identifiers and plain facts, never names of people.

        Raises ChainBroken where the audit was tampered with: nothing is done on top of that.
        """
        key_of = partial(self._keyring.audit_key, self.session)
        ensure_untouched(self.session, key_of, read_witness(self._keys_dir))
        signer = self._keyring.signer(self.session, "audit")
        self.last_position = append_event(self.session, self.mandate, signer, act, subject, details)


@contextmanager
def audited_transaction(
    engine: Engine, keyring: Keyring, keys_dir: Path, mandate: Mandate
) -> Iterator[AuditedTransaction]:
    """One act, all or nothing. Raises RegistryUnavailable, besides what the block raises."""
    with write_transaction(engine) as session:
        act = AuditedTransaction(session, keyring, keys_dir, mandate)
        yield act
    if act.last_position is not None:
        try:
            write_witness(keys_dir, act.last_position)
        except OSError as error:  # the act is done: what it made must not be lost for want of a witness
            log.warning("the audit's witness could not be written: %s", error.strerror)


BeginTransaction = Callable[[Mandate], AbstractContextManager[AuditedTransaction]]
"""`audited_transaction` with everything but the mandate bound, as a registry hands it to what writes."""
