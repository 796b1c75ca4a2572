"""What decides about a token, asked of the registry on every request.

On SQLite the registry is asked whether anything was committed since a row was read (`PRAGMA data_version`, which counts
the commits of all other connections; every write of this process comes over another one than the one asked here). If
nothing was, the row read then is the row that would be read now. So a revocation holds from the next request, and a
request that comes when nothing has happened costs a few microseconds. On PostgreSQL the row is read each time.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from contextlib import suppress
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, Row
from sqlalchemy.exc import DBAPIError

from auth.db.engine import fetch_rows, is_same_file, translate_errors
from auth.errors import RegistryUnavailable
from auth.tokens.principal import SELECT_PRINCIPAL

MOST_KEPT = 10_000


class PrincipalCache:
    """The rows behind tokens. Safe from several threads."""

    def __init__(self, engine: Engine, most: int = MOST_KEPT) -> None:
        self._engine = engine
        self._most = most
        self._rows: OrderedDict[str, Row[Any]] = OrderedDict()
        self._connection: Connection | None = None
        self._version = -1
        self._lock = Lock()

    def find(self, token_id: str) -> Row[Any] | None:
        """The row of a token as it is now; None where there is none. Raises RegistryUnavailable."""
        if self._engine.dialect.name != "sqlite":
            return self._read(token_id)
        with self._lock:
            version = self._data_version()
            if version != self._version:  # asked before reading, so what is read is at least as new
                self._rows.clear()
                self._version = version
            found = self._rows.get(token_id)
            if found is None and (found := self._read(token_id)) is not None:
                self._rows[token_id] = found
                if len(self._rows) > self._most:
                    self._rows.popitem(last=False)
            return found

    def _read(self, token_id: str) -> Row[Any] | None:
        found = fetch_rows(self._engine, SELECT_PRINCIPAL, {"jti": token_id})
        return found[0] if found else None

    def _data_version(self) -> int:
        """A number that changes with every commit of somebody else, and with the file. Raises RegistryUnavailable."""
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
        """Let go of the connection that is asked."""
        with self._lock:
            self._disconnect()
