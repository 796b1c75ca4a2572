"""The registry of projects, tokens, admins and keys, opened as one object with an attribute for each of these nouns."""

from __future__ import annotations

import logging
from functools import partial

from sqlalchemy import Engine

from auth.admins.accounts import Admins
from auth.admins.consents import Consents, DualControl
from auth.admins.sessions import Sessions
from auth.audit.audit_log import AuditLog
from auth.audit.transaction import audited_transaction
from auth.crypto.keyring import Keyring
from auth.crypto.keys import ensure_backend
from auth.crypto.verification_cache import VerificationCache
from auth.db import migrate
from auth.db.engine import open_engine, parse_registry_url
from auth.db.statement_timeout import StatementTimeout
from auth.errors import RegistryUnavailable
from auth.settings import RegistrySettings
from auth.signing_keys import SigningKeys
from auth.tokens.authenticator import TokenAuthenticator
from auth.tokens.token_administration import Tokens
from auth.tokens.usage import UsageStore
from auth.vetting.applications import Applications
from auth.vetting.notices import Notices
from auth.vetting.project_administration import Projects

log = logging.getLogger("daylight.auth")


class Registry:
    """One open registry. Safe to share between threads.

    `in_process` is True on SQLite, where looking up a principal reads a local file in about a tenth of a
    millisecond: call `authenticator.principal` in the event loop. On PostgreSQL it waits for a server: call it in a
    worker thread. Every other method belongs in a worker thread on both.

    Every method of an attribute raises RegistryUnavailable if the database cannot be reached. Every method that takes a
    mandate writes, and raises ChainBroken if the audit was tampered with.
    """

    def __init__(self, settings: RegistrySettings, engine: Engine) -> None:
        keyring = Keyring(engine, settings.keys_dir)
        verification_cache = VerificationCache(keyring.token_key)
        begin = partial(audited_transaction, engine, keyring, settings.keys_dir)
        dual_control = DualControl(settings.dual_control_actions)
        self.settings = settings
        self.in_process = engine.dialect.name == "sqlite"
        self.authenticator = TokenAuthenticator(engine, verification_cache, settings)
        self.tokens = Tokens(engine, keyring, settings, begin, self.authenticator)
        self.applications = Applications(engine, begin, dual_control)
        self.projects = Projects(engine, begin, dual_control)
        self.notices = Notices(engine, begin)
        self.admins = Admins(engine, begin)
        self.sessions = Sessions(engine, keyring, verification_cache, settings, begin)
        self.consents = Consents(engine, begin, dual_control)
        self.keys = SigningKeys(engine, keyring, begin)
        self.audit = AuditLog(engine, keyring, settings.keys_dir, begin)
        self.usage = UsageStore(engine)
        self._engine = engine
        self._statement_timeout = None if self.in_process else StatementTimeout(engine)

    def is_up(self) -> bool:
        """Whether the registry answers and its tables are those of this version of the program. Never raises."""
        try:
            return migrate.database_version(self._engine) == migrate.head_version()
        except RegistryUnavailable:
            return False

    def close(self) -> None:
        """Write what is pending, if that is possible, and close every connection."""
        try:
            self.authenticator.write_last_uses()
            self.usage.flush()
        except RegistryUnavailable:
            log.warning("the times of tokens' last use, or the usage of projects, could not be written")
        if self._statement_timeout is not None:
            self._statement_timeout.stop()
        self.authenticator.close()
        self._engine.dispose()


def open_registry(settings: RegistrySettings) -> Registry:
    """A registry that connects when it is first used; it raises RegistryUnavailable then if it is missing or down.

    The registry is never created here: `auth.setup.initialise_registry` does that. Raises MalformedValue if
    `registry_url` is not an address of a registry, and KeyUnusable if python-jose would not use the package cryptography.
    """
    ensure_backend()
    return Registry(settings, open_engine(parse_registry_url(settings.registry_url)))
