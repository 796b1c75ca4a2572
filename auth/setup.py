"""The registry's first day: directories that only their owner enters, tables, keys, and the first event."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from auth.audit.log import Mandate
from auth.audit.transaction import audited_transaction
from auth.crypto.keyring import Keyring
from auth.db import migrate
from auth.db.engine import open_engine, parse_registry_url, sqlite_file
from auth.errors import RegistryError
from auth.settings import RegistrySettings


def initialise_registry(
    settings: RegistrySettings, mandate: Mandate, say: Callable[[str], None] = lambda _: None
) -> None:
    """Makes what is missing of the registry, all or nothing, and says so; changes nothing when called again.

    Safe when several processes call it at once. Raises RegistryError where a directory cannot be made, and
    its kinds for a registry that is unreachable, tampered with, or made by a later version of the program.
    """
    url = parse_registry_url(settings.registry_url)
    file = sqlite_file(url)
    engine = open_engine(url)
    try:
        for directory in (settings.home, settings.keys_dir, *([file.parent] if file else [])):
            _make_directory(directory)
        with _locked(settings.home / "registry.lock"):
            if file is not None:
                _make_file(file)
            if migrate.database_version(engine) == migrate.head_version():
                return
            keyring = Keyring(engine, settings.keys_dir)
            with audited_transaction(engine, keyring, settings.keys_dir, mandate) as act:
                before = migrate.upgrade(act.session.connection())
                if before == migrate.head_version():
                    return
                keyring.create_initial_keys(act.session, mandate.at)
                act.record("registry.made" if before is None else "registry.upgraded", migrate.head_version())
        say(
            f"Made a new registry in {settings.home}, with keys in {settings.keys_dir}."
            if before is None
            else f"Brought the registry's tables from version {before} to {migrate.head_version()}."
        )
    finally:
        engine.dispose()


def _make_directory(directory: Path) -> None:
    """A directory with mode 0700; one that is there is left as it is."""
    with _named("DAYLIGHT_HOME", directory, "made a directory"):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def _make_file(file: Path) -> None:
    """An SQLite file that only its owner reads, with a write-ahead log; one that is there stays as it is."""
    with _named("DAYLIGHT_REGISTRY_URL", file, "used as an SQLite database"):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(file, timeout=5)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """One process of this host at a time: SQLite cannot queue those who set its journal's mode."""
    with _named("DAYLIGHT_HOME", file, "locked"):
        lock = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def _named(parameter: str, path: Path, wanted: str) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise RegistryError(
            f"{parameter}: {path} cannot be {wanted} ({why}); name a place that can.",
            parameter=parameter,
            value=str(path),
        ) from None
