"""Connections and transactions of the registry, with the same guarantees on SQLite and on PostgreSQL.

A write transaction takes the only write lock with its first statement (`BEGIN IMMEDIATE`, or an advisory lock on
PostgreSQL). So what it reads stays true until it commits, and the chain of the audit log cannot fork
(docs/traps.md#sqlite-a-transaction-that-becomes-a-writer-is-refused-at-once).
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
"""Key of the advisory lock for writing to the registry on PostgreSQL: `daylight` in ASCII."""

POOL_SIZE = 16
"""Connections that are kept open: one for each thread that looks up tokens, and some for write transactions."""
LOOKUP_TIMEOUT = 2.0
"""Seconds for which a query, or a statement of a write transaction, waits for a PostgreSQL server that does not answer."""

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
    """The registry's URL. Raises MalformedValue unless it names an SQLite file or a PostgreSQL database."""
    try:
        url = make_url(text)
    except ArgumentError:
        url = URL.create("none")
    if url.drivername in ("sqlite", "sqlite+pysqlite") and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite+pysqlite")
    if url.drivername in ("postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    raise MalformedValue(
        "DAYLIGHT_REGISTRY_URL: this is not the URL of a registry; write sqlite:///PATH or "
        "postgresql+psycopg://USER@HOST/DATABASE.",
        parameter="DAYLIGHT_REGISTRY_URL",
        allowed=("sqlite:///PATH", "postgresql+psycopg://USER@HOST/DATABASE"),
    )


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite registry; None for PostgreSQL."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def open_engine(url: URL) -> Engine:
    """An engine that connects when it is first used. An SQLite file must exist: it is not created here."""
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
    """Raises MalformedValue if a bound text cannot be stored: the caller is wrong, the database is not down."""
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
    connection.isolation_level = None  # the driver must not begin transactions by itself: see _begin
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma)


def _ensure_same_file(file: Path, _connection: Any, record: Any, _proxy: Any) -> None:
    """Makes the pool connect again if the file was replaced or removed: the old file would not show later revocations."""
    if record.info.get("file") != _device_and_inode(file):
        raise DisconnectionError("the file of the registry was replaced")


def is_same_file(connection: PoolProxiedConnection) -> bool:
    """Whether the file that this SQLite connection has open is still the one at the registry's path."""
    return bool(connection.info["file"] == _device_and_inode(connection.info["path"]))


def _device_and_inode(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _begin(connection: Connection, *, write: bool) -> None:
    """Begins the transaction of `write_transaction` or `snapshot`. A single query needs none."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
    elif write:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Session]:
    """A transaction that commits when the block ends, and rolls back if it raises. Raises RegistryUnavailable."""
    with translate_errors(), _session_with_write_lock(engine) as session:
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


def _session_with_write_lock(engine: Engine) -> Session:
    """A session that holds the write lock. A connection that died in the pool is replaced once, before anything was written.

    If the server did not answer, there is no second attempt: the caller has waited long enough.
    """
    retry_until = monotonic() + LOOKUP_TIMEOUT / 2
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(client_timeout=LOOKUP_TIMEOUT)
    for last in (False, True):
        session = Session(engine, expire_on_commit=False)
        try:
            _begin(session.connection(), write=True)
        except BaseException as error:
            session.close()
            died = isinstance(error, DBAPIError) and error.connection_invalidated
            if last or not died or monotonic() > retry_until:
                raise
        else:
            return session
    raise AssertionError("unreachable")  # pragma: no cover  the loop returns or raises


@contextmanager
def snapshot(engine: Engine) -> Iterator[Session]:
    """A session for several queries that all see the same state; it must not write. Raises RegistryUnavailable."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with translate_errors(), Session(engine) as session:
        _begin(session.connection(), write=False)
        yield session


def fetch_rows(engine: Engine, query: Executable, values: dict[str, object] | None = None) -> list[Row[Any]]:
    """The rows of one query. Raises RegistryUnavailable.

    A connection that died in the pool is replaced once, so that no request fails after a restart of the database server.
    """
    with translate_errors():
        try:
            return _execute(engine, query, values)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return _execute(engine, query, values)


def _execute(engine: Engine, query: Executable, values: dict[str, object] | None) -> list[Row[Any]]:
    if engine.dialect.name == "postgresql":  # autocommit saves the round trips of BEGIN and COMMIT
        engine = engine.execution_options(isolation_level="AUTOCOMMIT", client_timeout=LOOKUP_TIMEOUT)
    with engine.connect() as connection:
        return list(connection.execute(query, values or {}))


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns errors of the database into RegistryUnavailable, and logs the cause."""
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError) as error:
        origin = getattr(error, "orig", None) or error
        first_line = next(iter(str(origin).splitlines()), "")
        cause = f"{type(origin).__name__}: {first_line[:200]}"
        log.warning("registry unavailable: %s", cause)
        raise RegistryUnavailable(cause) from None
