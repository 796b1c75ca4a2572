"""A TCP proxy in front of a real server that simulates a host that has stopped or that no longer answers."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class TcpProxy:
    """Passes bytes between the clients of `port` and a server.

    `stop` closes all connections and refuses new ones, as a host does whose server has stopped. `freeze` leaves connections
    open, accepts new ones and passes nothing on, as a frozen host does. `resume` passes everything on again. What was sent
    while the proxy was frozen is lost, and connections from that time are closed, as after a restart.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._frozen = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = 0
        self._listen()

    def _listen(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self._listener, self.port = listener, listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._sockets.add(client)
            if self._frozen.is_set():
                continue
            try:
                server = socket.create_connection(self._server, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._sockets.add(server)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if not self._frozen.is_set():
                    target.sendall(data)
        if not self._frozen.is_set():
            for each in (source, target):
                self._close(each)

    def _close(self, each: socket.socket) -> None:
        self._sockets.discard(each)
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()

    def stop(self) -> None:
        assert self._listener is not None
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in tuple(self._sockets):
            self._close(each)

    def freeze(self) -> None:
        self._frozen.set()

    def resume(self) -> None:
        if self._frozen.is_set():
            self.stop()
            self._frozen.clear()
        for _ in range(50):
            try:
                self._listen()
            except OSError:
                time.sleep(0.1)
            else:
                return


@contextmanager
def tcp_proxy(host: str, port: int) -> Iterator[TcpProxy]:
    """A proxy in front of a server, which is stopped at the end of the block."""
    proxy = TcpProxy(host, port)
    try:
        yield proxy
    finally:
        proxy.stop()
