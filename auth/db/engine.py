"""Connections to the registry: SQLite in one file, or PostgreSQL, with the same promises on both.

A write holds the only write lock from its first statement (`BEGIN IMMEDIATE`; on PostgreSQL an advisory
lock), so that what it reads stays true until it commits and the audit's chain never forks.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Executable,
    PoolProxiedConnection,
    Row,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from auth.errors import MalformedValue, RegistryUnavailable
from auth.validation import ensure_storable

log = logging.getLogger("daylight.auth")

WRITE_LOCK = 0x6461796C69676874
"""Number of PostgreSQL's advisory lock for writing to the registry: `daylight` in ASCII."""

POOL_SIZE = 16
"""Connections that are kept: for the threads that look up, and some for acts."""
LOOKUP_TIMEOUT = 2.0
"""Seconds for which one look-up, or one statement of an act, waits for a server of PostgreSQL that is silent."""

_SQLITE_PRAGMAS = (
    "PRAGMA busy_timeout=5000",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
)
_POSTGRESQL = {
    "connect_timeout": 2,
    "tcp_user_timeout": 3000,
    "options": "-c statement_timeout=5000 -c lock_timeout=5000 -c timezone=UTC"
    " -c idle_in_transaction_session_timeout=15000",
}


def parse_registry_url(text: str) -> URL:
    """The registry's address. Raises MalformedValue unless it is a file of SQLite, or PostgreSQL."""
    try:
        url = make_url(text)
    except ArgumentError:
        url = URL.create("none")
    if url.drivername in ("sqlite", "sqlite+pysqlite") and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite+pysqlite")
    if url.drivername in ("postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    raise MalformedValue(
        "DAYLIGHT_REGISTRY_URL: this is no address of a registry; write sqlite:///PATH or "
        "postgresql+psycopg://USER@HOST/DATABASE.",
        parameter="DAYLIGHT_REGISTRY_URL",
        allowed=("sqlite:///PATH", "postgresql+psycopg://USER@HOST/DATABASE"),
    )


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite registry; None for PostgreSQL."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def open_engine(url: URL) -> Engine:
    """An engine that connects when it is first used. SQLite's file must be there: it is never made here."""
    file = sqlite_file(url)
    try:
        engine = create_engine(
            # mode=rw: a missing registry is an error, not an empty new one
            url if file is None else _file_url(file),
            connect_args=_POSTGRESQL if file is None else {"timeout": 5},
            hide_parameters=True,
            pool_timeout=2,
            pool_size=POOL_SIZE,
            max_overflow=8,
            pool_use_lifo=True,
        )
    except (ImportError, NoSuchModuleError):
        raise MalformedValue(
            "DAYLIGHT_REGISTRY_URL: PostgreSQL needs the package psycopg, which is not installed.",
            parameter="DAYLIGHT_REGISTRY_URL",
        ) from None
    event.listen(engine, "before_cursor_execute", _ensure_storable)
    if file is not None:
        event.listen(engine, "connect", partial(_set_up_connection, file))
        event.listen(engine, "checkout", partial(_ensure_same_file, file))
    return engine


def _ensure_storable(_connection: Any, _cursor: Any, _statement: str, values: Any, *_: Any) -> None:
    """Whatever asks, and whatever it is called: a text that no database can hold is the asker's fault, not an outage."""
    for row in values if isinstance(values, list) else (values,):
        for value in row.values() if isinstance(row, dict) else row or ():
            if isinstance(value, str):
                ensure_storable(value)


def _file_url(file: Path) -> URL:
    return URL.create(
        "sqlite+pysqlite", database=file.absolute().as_uri(), query={"uri": "true", "mode": "rw"}
    )


def _set_up_connection(file: Path, connection: Any, record: Any) -> None:
    record.info["file"], record.info["path"] = _device_and_inode(file), file
    connection.isolation_level = None  # the driver begins nothing by itself: see _begin
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma)


def _ensure_same_file(file: Path, _connection: Any, record: Any, _proxy: Any) -> None:
    """Opens the file anew where it was replaced or removed: an old one would never hear of a revocation."""
    if record.info.get("file") != _device_and_inode(file):
        raise DisconnectionError("the file of the registry is another one now")


def is_same_file(connection: PoolProxiedConnection) -> bool:
    """Whether the file that this connection to SQLite has open is still the registry's."""
    return bool(connection.info["file"] == _device_and_inode(connection.info["path"]))


def _device_and_inode(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _begin(connection: Connection, *, write: bool) -> None:
    """Begins what `write_transaction` and `snapshot` ask for; a plain read of one statement begins nothing."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
    elif write:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


@contextmanager
def write_transaction(engine: Engine, patience: float = LOOKUP_TIMEOUT) -> Iterator[Session]:
    """One write: all of it is committed when the block ends, or none. Raises RegistryUnavailable.

    `patience` is for how many seconds one statement waits for a server of PostgreSQL that is silent.
    """
    with translate_errors(), _session_with_write_lock(engine, patience) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


def _session_with_write_lock(engine: Engine, patience: float) -> Session:
    """A session that holds the write lock. A connection that died in the pool is replaced once: nothing was done over it.

    One that was silent is not: whoever asks has waited long enough.
    """
    asked, until = engine, monotonic() + patience / 2
    if engine.dialect.name == "postgresql":
        asked = engine.execution_options(patience=patience)
    for last in (False, True):
        session = Session(asked, expire_on_commit=False)
        try:
            _begin(session.connection(), write=True)
        except BaseException as error:
            session.close()
            died = isinstance(error, DBAPIError) and error.connection_invalidated
            if last or not died or monotonic() > until:
                raise
        else:
            return session
    raise AssertionError("unreachable")  # pragma: no cover  the loop returns or raises


@contextmanager
def snapshot(engine: Engine) -> Iterator[Session]:
    """Several reads of one state; nothing is ever written. Raises RegistryUnavailable."""
    asked = engine
    if engine.dialect.name == "postgresql":
        asked = engine.execution_options(isolation_level="REPEATABLE READ")
    with translate_errors(), Session(asked) as session:
        _begin(session.connection(), write=False)
        yield session


def fetch_rows(
    engine: Engine, question: Executable, values: dict[str, object] | None = None
) -> list[Row[Any]]:
    """The rows of one question. Raises RegistryUnavailable.

    A connection that turns out to be dead is replaced once: after a restart of the server nobody is
    turned away for a connection that was still in the pool.
    """
    with translate_errors():
        try:
            return _execute(engine, question, values)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return _execute(engine, question, values)


def _execute(engine: Engine, question: Executable, values: dict[str, object] | None) -> list[Row[Any]]:
    asked = engine
    if engine.dialect.name == "postgresql":
        # one round trip, not three
        asked = engine.execution_options(isolation_level="AUTOCOMMIT", patience=LOOKUP_TIMEOUT)
    with asked.connect() as connection:
        return list(connection.execute(question, values or {}))


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns what the database says into RegistryUnavailable, whose cause is for the log."""
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError) as error:
        origin = getattr(error, "orig", None) or error
        first_line = next(iter(str(origin).splitlines()), "")
        cause = f"{type(origin).__name__}: {first_line[:200]}"
        log.warning("registry unavailable: %s", cause)
        raise RegistryUnavailable(cause) from None
