"""Create a registry, or upgrade its tables: directories for the owner alone, tables, keys and the first audit event."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from auth.audit.chain import Mandate
from auth.audit.transaction import audited_transaction
from auth.crypto.keyring import Keyring
from auth.db import migrate
from auth.db.engine import open_engine, parse_registry_url, sqlite_file
from auth.errors import RegistryError
from auth.settings import RegistrySettings


def initialise_registry(
    settings: RegistrySettings, mandate: Mandate, report: Callable[[str], None] = lambda _: None
) -> None:
    """Create what is missing of the registry, all or nothing, and report it; a second call changes nothing.

    Several processes may call it at the same time. Raises RegistryError if a directory cannot be created, and its
    subclasses if the registry is unreachable, was tampered with, or belongs to a later version of the program.
    """
    url = parse_registry_url(settings.registry_url)
    file = sqlite_file(url)
    engine = open_engine(url)
    try:
        for directory in (settings.home, settings.keys_dir, *([file.parent] if file else [])):
            _create_directory(directory)
        with _process_lock(settings.home / "registry.lock"):
            if file is not None:
                _create_sqlite_file(file)
            if migrate.database_version(engine) == migrate.head_version():
                return
            keyring = Keyring(engine, settings.keys_dir)
            with audited_transaction(engine, keyring, settings.keys_dir, mandate) as transaction:
                before = migrate.upgrade(transaction.session.connection())
                if before == migrate.head_version():
                    return
                keyring.create_initial_keys(transaction.session, mandate.at)
                transaction.record(
                    "registry.made" if before is None else "registry.upgraded", migrate.head_version()
                )
        report(
            f"Created a registry in {settings.home}, with keys in {settings.keys_dir}."
            if before is None
            else f"Brought the registry's tables from version {before} to {migrate.head_version()}."
        )
    finally:
        engine.dispose()


def _create_directory(directory: Path) -> None:
    """Create a directory with mode 0700; an existing one is left unchanged."""
    with _path_errors_as_refusals("DAYLIGHT_HOME", directory, "create the directory"):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def _create_sqlite_file(file: Path) -> None:
    """Create an SQLite file with mode 0600 and switch on its write-ahead log; an existing file keeps its mode and content."""
    with _path_errors_as_refusals("DAYLIGHT_REGISTRY_URL", file, "open the SQLite database"):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(file, timeout=5)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")


@contextmanager
def _process_lock(file: Path) -> Iterator[None]:
    """Hold a lock for one process of this host at a time: SQLite fails if two connections set the journal mode at once."""
    with _path_errors_as_refusals("DAYLIGHT_HOME", file, "lock"):
        lock = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def _path_errors_as_refusals(parameter: str, path: Path, purpose: str) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise RegistryError(
            f"{parameter}: cannot {purpose} {path} ({why}); choose another path.",
            parameter=parameter,
            value=str(path),
        ) from None
