"""A transaction of the registry that commits a change together with its events in the audit log, or neither."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from auth.audit.chain import Mandate, Position, append_event, ensure_untouched, read_witness, write_witness
from auth.crypto.keyring import Keyring
from auth.db.engine import write_transaction

log = logging.getLogger("daylight.auth")


class AuditedTransaction:
    """An open write transaction and its mandate. Events that are recorded here are committed with the change."""

    def __init__(self, session: Session, keyring: Keyring, keys_dir: Path, mandate: Mandate) -> None:
        self.session = session
        self.mandate = mandate
        self.last_position: Position | None = None
        self._keyring = keyring
        self._keys_dir = keys_dir

    def record(self, action: str, subject: str, /, **details: object) -> None:
        """Adds an event to the audit log. `details` are identifiers and plain facts, never names of people.

        Raises ChainBroken if the audit log was tampered with, so that nothing is built on a damaged log.
        """
        find_key = partial(self._keyring.audit_key, self.session)
        ensure_untouched(self.session, find_key, read_witness(self._keys_dir))
        signer = self._keyring.signer(self.session, "audit")
        self.last_position = append_event(self.session, self.mandate, signer, action, subject, details)


@contextmanager
def audited_transaction(
    engine: Engine, keyring: Keyring, keys_dir: Path, mandate: Mandate
) -> Iterator[AuditedTransaction]:
    """One transaction, all or nothing. Raises RegistryUnavailable, and what the block raises."""
    with write_transaction(engine) as session:
        transaction = AuditedTransaction(session, keyring, keys_dir, mandate)
        yield transaction
    if transaction.last_position is not None:
        try:
            write_witness(keys_dir, transaction.last_position)
        except OSError as error:
            # only a warning: the change is committed, and the caller must get its result, such as a token's text
            log.warning("the audit's witness could not be written: %s", error.strerror)


BeginTransaction = Callable[[Mandate], AbstractContextManager[AuditedTransaction]]
"""`audited_transaction` with everything but the mandate bound, as a registry hands it to what writes."""
