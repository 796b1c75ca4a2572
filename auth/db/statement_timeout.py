"""A client-side timeout for statements: the socket of a PostgreSQL server that does not answer is shut down.

PostgreSQL's own `statement_timeout` works only while the server is alive. If its host has stopped, or the network drops all
packets, the driver would wait on its socket for ever. Shutting the socket down makes the driver raise an error.
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
"""Seconds a statement may take: more than the server's own limits on running and on waiting for a lock. The execution option
`client_timeout` sets a shorter time."""
CHECK_INTERVAL = 0.25


class StatementTimeout:
    """Watches the statements of one PostgreSQL engine, in a thread that runs from the first statement until `stop`."""

    def __init__(self, engine: Engine, timeout: float = DEFAULT_TIMEOUT) -> None:
        self._timeout = timeout
        self._deadlines: dict[int, tuple[float, Any]] = {}
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
        if connection.invalidated:  # nothing is sent over a connection that was given up
            return
        driver = connection.connection.driver_connection
        until = time.monotonic() + connection.get_execution_options().get("client_timeout", self._timeout)
        with self._lock:
            self._deadlines[id(driver)] = (until, driver)
            if self._thread is None:
                self._thread = Thread(
                    target=self._close_overdue, name="registry statement timeout", daemon=True
                )
                self._thread.start()

    def _stop_timer(self, connection: Connection, *_: Any) -> None:
        self._on_checkin(connection.connection.driver_connection)

    def _on_checkin(self, driver: Any, *_: Any) -> None:
        with self._lock:
            self._deadlines.pop(id(driver), None)

    def _close_overdue(self) -> None:
        while not self._stopped.wait(CHECK_INTERVAL):
            with self._lock:
                overdue = [key for key, (until, _) in self._deadlines.items() if until < time.monotonic()]
                for key in overdue:
                    _shut_socket(self._deadlines.pop(key)[1])

    def stop(self) -> None:
        """Ends the thread, and shuts the sockets of all statements that still wait for an answer."""
        self._stopped.set()
        with self._lock:
            for _, driver in self._deadlines.values():
                _shut_socket(driver)
            self._deadlines.clear()


def _shut_socket(driver: Any) -> None:
    """Shuts the socket down through a duplicate, so that its reader wakes up and the driver still owns its descriptor."""
    log.warning("registry: the server is silent; giving up on a statement")
    with suppress(Exception), socket.socket(fileno=os.dup(driver.fileno())) as found:
        found.shutdown(socket.SHUT_RDWR)
