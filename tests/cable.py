"""A cable to a real server that can be pulled out, or plugged into nothing: what a stopped or a silent host looks like."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Cable:
    """Passes bytes between whoever connects to `port` and a server.

    `cut` ends every connection and refuses new ones, as a host does whose server has stopped. `silence` leaves connections
    open, takes new ones, and passes nothing on, as a frozen host does. `mend` lets everything through again; what was
    swallowed is lost, and the connections that were silent are ended, as after a restart.
    """

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._silent = threading.Event()
        self._ends: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self.port = 0
        self._listen()

    def _listen(self) -> None:
        listening = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self._listening, self.port = listening, listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            self._ends.add(near)
            if self._silent.is_set():
                continue
            try:
                far = socket.create_connection(self._to, timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            self._ends.add(far)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 16):
                if not self._silent.is_set():
                    other.sendall(data)
        if not self._silent.is_set():
            for end in (one, other):
                self._end(end)

    def _end(self, end: socket.socket) -> None:
        self._ends.discard(end)
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

    def cut(self) -> None:
        assert self._listening is not None
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for end in tuple(self._ends):
            self._end(end)

    def silence(self) -> None:
        self._silent.set()

    def mend(self) -> None:
        if self._silent.is_set():
            self.cut()
            self._silent.clear()
        for _ in range(50):
            try:
                self._listen()
            except OSError:
                time.sleep(0.1)
            else:
                return

    def close(self) -> None:
        self.cut()


@contextmanager
def cable(host: str, port: int) -> Iterator[Cable]:
    made = Cable(host, port)
    try:
        yield made
    finally:
        made.close()
