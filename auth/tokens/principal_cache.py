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
        self._kept: OrderedDict[str, Row[Any]] = OrderedDict()
        self._asked: Connection | None = None
        self._version = -1
        self._lock = Lock()

    def find(self, token_id: str) -> Row[Any] | None:
        """The row of a token as it is now; None where there is none. Raises RegistryUnavailable."""
        if self._engine.dialect.name != "sqlite":
            return self._read(token_id)
        with self._lock:
            version = self._committed()
            if version != self._version:  # asked before reading, so what is read is at least as new
                self._kept.clear()
                self._version = version
            found = self._kept.get(token_id)
            if found is None and (found := self._read(token_id)) is not None:
                self._kept[token_id] = found
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            return found

    def _read(self, token_id: str) -> Row[Any] | None:
        found = fetch_rows(self._engine, SELECT_PRINCIPAL, {"jti": token_id})
        return found[0] if found else None

    def _committed(self) -> int:
        """A number that changes with every commit of somebody else, and with the file. Raises RegistryUnavailable."""
        if self._asked is not None and not is_same_file(self._asked.connection):
            self._let_go()
        if self._asked is None:
            with translate_errors():
                self._asked = self._engine.connect()
        file: Any = self._asked.connection.driver_connection
        try:
            ((version,),) = file.execute("PRAGMA data_version").fetchall()
        except sqlite3.Error as error:
            self._let_go()
            raise RegistryUnavailable(f"{type(error).__name__}: {error}") from None
        return int(version)

    def _let_go(self) -> None:
        if self._asked is not None:
            with suppress(DBAPIError):
                self._asked.invalidate()
                self._asked.close()
        self._asked = None
        self._kept.clear()

    def close(self) -> None:
        """Let go of the connection that is asked."""
        with self._lock:
            self._let_go()
