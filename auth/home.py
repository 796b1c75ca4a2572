"""The registry's first day: directories that only their owner enters, tables, keys, and the first event."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from auth import schema
from auth.acts import acting
from auth.audit import Mandate
from auth.database import open_engine, read_address, sqlite_file
from auth.errors import RegistryError
from auth.keyring import Keyring
from auth.settings import RegistrySettings


def prepare(
    settings: RegistrySettings, mandate: Mandate, say: Callable[[str], None] = lambda sentence: None
) -> None:
    """Makes what is missing of the registry, all or nothing, and says so; changes nothing when called again.

    Safe when several processes call it at once. Raises RegistryError where a directory cannot be made, and
    its kinds for a registry that is unreachable, tampered with, or made by a later version of the program.
    """
    url = read_address(settings.registry_url)
    file = sqlite_file(url)
    engine = open_engine(url)
    try:
        if (file is None or file.exists()) and schema.version(engine) == schema.head():
            return
        for directory in (settings.home, settings.keys_dir, *([file.parent] if file else [])):
            _make_directory(directory)
        with _locked(settings.home / "registry.lock"):
            if file is not None:
                os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
            keyring = Keyring(engine, settings.keys_dir)
            with acting(engine, keyring, settings.keys_dir, mandate) as act:
                before = schema.upgrade(act.session.connection())
                if before == schema.head():
                    return
                keyring.make_first(act.session, mandate.at)
                act.record("registry.made" if before is None else "registry.upgraded", schema.head())
        say(
            f"Made a new registry in {settings.home}, with keys in {settings.keys_dir}."
            if before is None
            else f"Brought the registry's tables from version {before} to {schema.head()}."
        )
    finally:
        engine.dispose()


def _make_directory(directory: Path) -> None:
    """A directory with mode 0700; one that is there is left as it is."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RegistryError(
            f"DAYLIGHT_HOME: the directory {directory} cannot be made ({error.strerror}); name one that can.",
            parameter="DAYLIGHT_HOME",
            value=str(directory),
        ) from None


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """One process of this host at a time: SQLite cannot queue those who set its journal's mode."""
    with open(file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
