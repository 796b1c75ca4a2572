"""Giving up on a server that is silent: the connection of a statement that is not answered is closed under it.

PostgreSQL ends a statement that takes long by itself, but only while it is alive. A host that was stopped, or a network that
swallows everything, answers nothing, and a driver that waits on a socket would wait for ever. A closed socket wakes it.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any

from sqlalchemy import Connection, Engine, event

log = logging.getLogger("daylight.auth")

DEFAULT_TIMEOUT = 7.0
"""Seconds a statement may take: more than PostgreSQL lets one run or wait for a lock. A statement may be given less in the
execution option `patience`."""
CHECK_INTERVAL = 0.25


class StatementTimeout:
    """Looks after the statements of one engine of PostgreSQL, from the first one until `stop`."""

    def __init__(self, engine: Engine, patience: float = DEFAULT_TIMEOUT) -> None:
        self._patience = patience
        self._waiting: dict[int, tuple[float, Any]] = {}
        self._lock = Lock()
        self._stopped = Event()
        self._thread: Thread | None = None
        event.listen(engine, "before_cursor_execute", self._before_statement)
        event.listen(engine, "commit", self._start_timer)
        event.listen(engine, "rollback", self._start_timer)
        event.listen(engine, "after_cursor_execute", self._stop_timer)
        event.listen(engine, "checkin", self._on_checkin)

    def _before_statement(self, connection: Connection, *_: Any) -> None:
        self._start_timer(connection)

    def _start_timer(self, connection: Connection) -> None:
        """A statement, a commit or a rollback is sent."""
        if connection.invalidated:  # nothing is sent over a connection that is gone
            return
        driver = connection.connection.driver_connection
        until = time.monotonic() + connection.get_execution_options().get("patience", self._patience)
        with self._lock:
            self._waiting[id(driver)] = (until, driver)
            if self._thread is None:
                self._thread = Thread(target=self._close_overdue, name="registry watchdog", daemon=True)
                self._thread.start()

    def _stop_timer(self, connection: Connection, *_: Any) -> None:
        self._on_checkin(connection.connection.driver_connection)

    def _on_checkin(self, driver: Any, *_: Any) -> None:
        with self._lock:
            self._waiting.pop(id(driver), None)

    def _close_overdue(self) -> None:
        while not self._stopped.wait(CHECK_INTERVAL):
            with self._lock:
                late = [key for key, (until, _) in self._waiting.items() if until < time.monotonic()]
                for key in late:
                    _shut_socket(self._waiting.pop(key)[1])

    def stop(self) -> None:
        """Give up on whatever is still waited for."""
        self._stopped.set()
        with self._lock:
            for _, driver in self._waiting.values():
                _shut_socket(driver)
            self._waiting.clear()


def _shut_socket(driver: Any) -> None:
    """Shut the socket, so that whoever reads from it sees its end; the descriptor stays the driver's own."""
    log.warning("registry: the server is silent; giving up on a statement")
    with suppress(Exception), socket.socket(fileno=os.dup(driver.fileno())) as found:
        found.shutdown(socket.SHUT_RDWR)
