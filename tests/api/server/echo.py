"""A server of StrictHttpProtocol over real sockets, whose clock tests set forward and whose state they can wait for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import threading
from collections import Counter

import uvicorn

from api.server.protocol import StrictHttpProtocol
from tests.waiting import PATIENCE as PATIENCE
from tests.waiting import wait_until as wait_until

KEEP_ALIVE = 100
"""Seconds; more than the time for a head or a body, so that tests can tell these timeouts apart."""


class AdjustableLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be set forward, so that no test waits for a timeout or depends on how fast it is."""

    ahead = 0.0

    def time(self):
        return super().time() + self.ahead

    def set_forward(self, seconds):
        """Let this time pass; returns when every timer that is due by then has fired."""
        fired = threading.Event()

        def advance():
            self.ahead += seconds
            self.call_later(0, fired.set)  # behind the timers that are due

        self.call_soon_threadsafe(advance)
        assert fired.wait(PATIENCE)


class Echo:
    """An application that answers with what it was asked. /slow waits for `go`, /early does not read the body, /begun starts the
    answer before the body, /leave waits until the client leaves."""

    def __init__(self):
        self.go, self.left = threading.Event(), threading.Event()
        self.asked: list[str] = []
        self.connected: set[int] = set()
        self.closed: set[int] = set()
        self.received: Counter[int] = Counter()
        """Bytes that the server has processed, by the client's port, as the sets are."""
        self.loop = AdjustableLoop()
        self.port = 0

    def protocol(self):
        """The protocol under test, which also tells how far the server has come with each connection."""
        echo = self

        class ObservedProtocol(StrictHttpProtocol):
            @property
            def client_port(self) -> int:
                assert self.client is not None
                return self.client[1]

            def connection_made(self, transport):
                super().connection_made(transport)
                echo.connected.add(self.client_port)
                echo.closed.discard(self.client_port)
                echo.received[self.client_port] = 0

            def data_received(self, data):
                super().data_received(data)
                echo.received[self.client_port] += len(data)

            def connection_lost(self, exc):
                super().connection_lost(exc)
                echo.connected.discard(self.client_port)
                echo.closed.add(self.client_port)

        return ObservedProtocol

    async def __call__(self, scope, receive, send):
        path, body, more = scope["path"], b"", True
        self.asked.append(path)
        if path == "/begun":
            await send(start(10))
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
        while more and path != "/early":
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                return
            body, more = body + message["body"], message["more_body"]
        if path == "/slow":
            while not self.go.is_set():
                await asyncio.sleep(0.001)
        if path == "/leave":
            await receive()
            self.left.set()
            return
        fields = [name for name, _ in scope["headers"]]
        found = f"[{scope['method']} {path} {scope['query_string'].decode()} {fields.count(b'x')} {len(body)}]".encode()
        await send(start(len(found)))
        await send({"type": "http.response.body", "body": found})


def start(length):
    fields = [(b"content-length", b"%d" % length)]
    return {"type": "http.response.start", "status": 200, "headers": fields}


@contextlib.contextmanager
def running_echo():
    """An Echo behind a server of its own."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    app = Echo()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app.port = listening.getsockname()[1]
        config = uvicorn.Config(
            app, access_log=False, log_config=None, http=app.protocol(), ws="none", lifespan="off",
            timeout_keep_alive=KEEP_ALIVE,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=app.loop.run_until_complete, args=(server.serve(sockets=[listening]),), daemon=True
        )
        thread.start()
        wait_until(lambda: server.started)
        yield app
        server.should_exit = True
        thread.join(PATIENCE)
    app.loop.close()


class Connection:
    """A client's connection."""

    def __init__(self, echo):
        self.echo = echo
        self.socket = socket.create_connection(("127.0.0.1", echo.port), timeout=PATIENCE)
        self.own_port = self.socket.getsockname()[1]
        self.sent = 0
        wait_until(lambda: self.own_port in echo.connected)

    def send(self, *pieces):
        """Send pieces, each after the server has processed the one before; stop if the server has closed the connection."""
        for piece in pieces:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.socket.sendall(piece)
            self.sent += len(piece)
            wait_until(lambda: self.is_closed() or self.echo.received[self.own_port] >= self.sent)
            if self.is_closed():
                return

    def is_closed(self):
        return self.own_port in self.echo.closed

    def read_until(self, text):
        found = ""
        while text not in found:
            piece = self.socket.recv(65536).decode()
            assert piece, f"closed after {found!r}"
            found += piece

    def rest(self):
        """All that the server sends until it closes the connection."""
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(65536):
                found += piece
        return found.decode()


@contextlib.contextmanager
def connected(echo):
    connection = Connection(echo)
    with connection.socket:
        yield connection


def parse_answers(text):
    """The statuses of answers, and what Echo says that it was asked."""
    statuses = [int(status) for status in re.findall(r"HTTP/1\.1 (\d+) ", text)]
    return statuses, re.findall(r"\[(.*?)\]", text)


def exchange(echo, *pieces):
    """What is answered to these pieces until the server closes the connection."""
    with connected(echo) as connection:
        connection.send(*pieces)
        return parse_answers(connection.rest())


CLOSE = "Connection: close\r\n"


def get(target="/x", fields="", version="HTTP/1.1", host="Host: a\r\n", method="GET"):
    return f"{method} {target} {version}\r\n{host}{fields}\r\n".encode("latin-1")


def post(fields, body=b"hello", target="/x"):
    return get(target, fields, method="POST") + body


POST_CHUNKED = get("/x", "Transfer-Encoding: chunked\r\n", method="POST")
LAST = get("/last", CLOSE)
