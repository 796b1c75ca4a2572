"""A cache of the rows that decide about tokens, which is valid only until the next commit.

On SQLite, `PRAGMA data_version` tells whether another connection has committed since a row was read; every write of this
process uses another connection than the one that is asked here. If there was no commit, the cached row is what a query would
return. So a revocation takes effect on the next request, and a request costs a few microseconds if nothing was committed.
On PostgreSQL nothing is cached: the row is read on each request.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from threading import Lock
from typing import Any

from cachetools import LRUCache
from sqlalchemy import Connection, Engine, Row
from sqlalchemy.exc import DBAPIError

from auth.db.engine import fetch_rows, is_same_file, translate_errors
from auth.errors import RegistryUnavailable
from auth.tokens.principal import SELECT_PRINCIPAL

CACHE_SIZE = 10_000
"""Number of rows."""


class PrincipalCache:
    """An LRU cache from the identifiers of tokens to their rows. Thread-safe."""

    def __init__(self, engine: Engine, size: int = CACHE_SIZE) -> None:
        self._engine = engine
        self._rows: LRUCache[str, Row[Any]] = LRUCache(size)
        self._connection: Connection | None = None
        self._version = -1
        self._lock = Lock()

    def find(self, token_id: str) -> Row[Any] | None:
        """The current row of a token; None if the token is unknown. Raises RegistryUnavailable."""
        if self._engine.dialect.name != "sqlite":
            return self._fetch(token_id)
        with self._lock:
            # read before the row is: the row is then at least as new as the version
            version = self._data_version()
            if version != self._version:
                self._rows.clear()
                self._version = version
            found = self._rows.get(token_id)
            if found is None and (found := self._fetch(token_id)) is not None:
                self._rows[token_id] = found
            return found

    def _fetch(self, token_id: str) -> Row[Any] | None:
        found = fetch_rows(self._engine, SELECT_PRINCIPAL, {"jti": token_id})
        return found[0] if found else None

    def _data_version(self) -> int:
        """A number that changes with every commit of another connection. Connects again if the file was replaced.

        Raises RegistryUnavailable.
        """
        if self._connection is not None and not is_same_file(self._connection.connection):
            self._disconnect()
        if self._connection is None:
            with translate_errors():
                self._connection = self._engine.connect()
        file: Any = self._connection.connection.driver_connection
        try:
            ((version,),) = file.execute("PRAGMA data_version").fetchall()
        except sqlite3.Error as error:
            self._disconnect()
            raise RegistryUnavailable(f"{type(error).__name__}: {error}") from None
        return int(version)

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.invalidate()
                self._connection.close()
        self._connection = None
        self._rows.clear()

    def close(self) -> None:
        """Closes the connection that is asked for the data version."""
        with self._lock:
            self._disconnect()
