"""What the server reads, and what it refuses before anybody is asked: over sockets, as the bytes are sent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import socket
import threading
import time

import pytest
import uvicorn

from api.server import protocol
from api.server.protocol import LONGEST_HEAD, StrictHttpProtocol

POST_CHUNKED = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Echo:
    """Answers with what it was asked; /slow when `go` is set, /early before the body is read, /begun in two halves."""

    def __init__(self):
        self.go = threading.Event()
        self.left = threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        path, body, more = scope["path"], b"", True
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
                await asyncio.sleep(0.01)
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


@pytest.fixture(scope="module")
def echo():
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    app = Echo()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, access_log=False, log_config=None, http=StrictHttpProtocol, ws="none", lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        app.port = listening.getsockname()[1]
        yield app
        server.should_exit = True
        thread.join(10)


@contextlib.contextmanager
def connected(echo):
    with socket.create_connection(("127.0.0.1", echo.port), timeout=10) as connection:
        yield connection


def rest(connection):
    """All that is said until the connection is closed."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            said += piece
    return said.decode()


def wait_for(connection, text):
    said = ""
    while text not in said:
        said += connection.recv(65536).decode()


def sent(echo, *pieces):
    """The statuses of what is answered to these bytes, the connection being closed behind them by a last request."""
    with connected(echo) as connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02 if len(pieces) > 1 else 0)
        said = rest(connection)
        return [int(status) for status in re.findall(r"HTTP/1\.1 (\d+) ", said)], re.findall(
            r"\[(.*?)\]", said
        )
    return [], []


def get(target="/x", fields="", version="HTTP/1.1", host="Host: a\r\n", method="GET"):
    return f"{method} {target} {version}\r\n{host}{fields}\r\n".encode("latin-1")


def post(fields, body=b"hello", target="/x"):
    return get(target, fields, method="POST") + body


LAST = get("/last", "Connection: close\r\n")
CLOSE = "Connection: close\r\n"

MALFORMED = {
    "no Host": get(host=""),
    "two Hosts": get(fields="Host: b\r\n"),
    "HTTP/0.9": b"GET /x\r\n\r\n",
    "HTTP/1.2": get(version="HTTP/1.2"),
    "HTTP/2.0": get(version="HTTP/2.0"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01",
    "another protocol": get(version="ICE/1.0", method="SOURCE"),
    "a made-up method": get(method="BREW"),
    "a method in small letters": get(method="get"),
    "a tunnel": get("a:80", method="CONNECT"),
    "a tunnel to a path": get("/x", method="CONNECT"),
    "an absolute target": get("http://evil.example/x"),
    "a target that is no path": get("x"),
    "a star": get("*", method="OPTIONS"),
    "a fragment": get("/x#y"),
    "a space in the target": get("/x y"),
    "two spaces": b"GET  /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "NUL in the target": get("/x\x00"),
    "other than ASCII in the target": get("/\xe9"),
    "lines that end in LF": b"GET /x HTTP/1.1\nHost: a\n\n",
    "one line that ends in LF": b"GET /x HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "CR in a value": get(fields="X: a\rb\r\n"),
    "NUL in a value": get(fields="X: a\x00b\r\n"),
    "a control character in a value": get(fields="X: a\x01b\r\n"),
    "a folded field": get(fields="X: a\r\n b\r\n"),
    "a space before the first field": b"GET /x HTTP/1.1\r\n Host: a\r\n\r\n",
    "a space before the colon": get(fields="X : a\r\n"),
    "a field without a name": get(fields=": a\r\n"),
    "a field without a colon": get(fields="Xa\r\n"),
    "empty lines in front": b"\r\n\r\n" + get(),
    "two lengths": post("Content-Length: 5\r\nContent-Length: 6\r\n"),
    "one length twice": post("Content-Length: 5\r\nContent-Length: 5\r\n"),
    "a list of lengths": post("Content-Length: 5, 5\r\n"),
    "a length with a sign": post("Content-Length: +5\r\n"),
    "a length below zero": post("Content-Length: -5\r\n"),
    "a hexadecimal length": post("Content-Length: 0x5\r\n"),
    "an empty length": post("Content-Length:\r\n"),
    "a length beyond counting": post(f"Content-Length: {10**30}\r\n"),
    "a folded length": post("Content-Length:\r\n 5\r\n"),
    "a length and chunks": post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "chunks and a length": post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
    "chunks twice": post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "two codings": post("Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    "no coding": post("Transfer-Encoding: identity\r\n"),
    "a coding almost like chunks": post("Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "a coding behind a vertical tab": post("Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    "chunks in HTTP/1.0": get(fields="Transfer-Encoding: chunked\r\n", version="HTTP/1.0", method="POST") + b"0\r\n\r\n",
    "a chunk that ends in LF": POST_CHUNKED + b"5\nhello\n0\n\n",
    "a chunk longer than it says": POST_CHUNKED + b"5\r\nhelloXX0\r\n\r\n",
    "a chunk beyond counting": POST_CHUNKED + b"fffffffffffffffff\r\nhello",
    "a chunk whose size has a prefix": POST_CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk whose size has a sign": POST_CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("what", MALFORMED)
def test_what_two_readers_might_take_for_two_things_is_refused(echo, what):
    assert sent(echo, MALFORMED[what]) == ([400], [])


@pytest.mark.parametrize("what", MALFORMED)
def test_it_is_refused_behind_a_good_request_too_which_is_answered_first(echo, what):
    assert sent(echo, get("/first") + MALFORMED[what]) == ([200, 400], ["GET /first  0 0"])


def test_what_is_well_written_is_read(echo):
    assert sent(echo, get("/a%2Fb?q=%C3%A9&x=%zz", "X: \xe9\r\n" + CLOSE)) == (
        [200],
        ["GET /a/b q=%C3%A9&x=%zz 1 0"],
    )
    assert sent(echo, get(version="HTTP/1.0", host="")) == ([200], ["GET /x  0 0"])
    assert sent(echo, post("Content-Length: 5 \r\n" + CLOSE)) == ([200], ["POST /x  0 5"])
    chunks = b"5;a=b\r\nhello\r\n" + b"1\r\na\r\n" * 20_000 + b"0\r\n\r\n"
    assert sent(echo, POST_CHUNKED + chunks, LAST) == ([200, 200], ["POST /x  0 20005", "GET /last  0 0"])
    assert sent(echo, post("Content-Length: 300000\r\n", b"a" * 300_000) + LAST)[1][0] == "POST /x  0 300000"


def test_fields_behind_a_body_are_not_added_to_those_in_front(echo):
    trailing = POST_CHUNKED + b"5\r\nhello\r\n0\r\nX: evil\r\nHost: evil\r\n\r\n"
    assert sent(echo, trailing, LAST) == ([200, 200], ["POST /x  0 5", "GET /last  0 0"])


def test_nothing_is_upgraded_and_nothing_lost_by_asking_for_it(echo):
    upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUPGRADE: h2c\r\n"
    asked = post(upgrade + "Content-Length: 5\r\n") + get("/x", upgrade) + LAST
    assert sent(echo, asked) == ([200] * 3, ["POST /x  0 5", "GET /x  0 0", "GET /last  0 0"])


@pytest.mark.parametrize(
    "pieces", [[b"%c" % byte for byte in get("/a") + LAST], [get("/a")[:-1], b"\n" + LAST]]
)
def test_heads_may_come_in_any_pieces(echo, pieces):
    assert sent(echo, *pieces) == ([200, 200], ["GET /a  0 0", "GET /last  0 0"])


def test_heads_have_a_length(echo):
    most = LONGEST_HEAD - len(get("/x", f"X: \r\n{CLOSE}"))
    assert sent(echo, get("/x", f"X: {'a' * most}\r\n{CLOSE}")) == ([200], ["GET /x  1 0"])
    assert sent(echo, get("/x", f"X: {'a' * (most + 1)}\r\n{CLOSE}")) == ([431], [])
    assert sent(echo, get("/x", "X: a\r\n" * LONGEST_HEAD))[1] == []
    assert sent(echo, b"GET /", *[b"a" * 9000] * 4) == ([414], [])
    behind_a_body = post("Content-Length: 5\r\n", b"hello") + get("/x", f"X: {'a' * LONGEST_HEAD}\r\n")
    assert sent(echo, behind_a_body) == ([200, 431], ["POST /x  0 5"])


@pytest.mark.parametrize(
    ("head", "status", "kind"),
    [
        (b"GET /" + b"a" * LONGEST_HEAD, 414, "/problems/too-long"),
        (b"GET /" + b"a" * (LONGEST_HEAD - 20) + b" HTTP/1.1\r\nX: aaaa\r\n\r\n", 414, "/problems/too-long"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * LONGEST_HEAD, 431, "about:blank"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "/problems/malformed"),
    ],
)
def test_a_head_is_refused_as_a_problem_like_all_others(echo, head, status, kind):
    with connected(echo) as connection:
        connection.sendall(head)
        fields, _, body = rest(connection).partition("\r\n\r\n")
    assert "content-type: application/problem+json" in fields
    found = json.loads(body)
    assert (found["type"], found["status"]) == (kind, status)
    assert found["title"] and found["detail"] and found["instance"].startswith("urn:request:")


@pytest.mark.parametrize("around", [b"5;", b"0\r\nX: "])
def test_so_has_what_stands_around_a_body(echo, around):
    with connected(echo) as connection:
        connection.sendall(POST_CHUNKED)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(100):
                connection.sendall(around + b"a" * 9000)
                around = b""
                time.sleep(0.005)


def test_a_head_is_sent_within_a_time_and_who_says_nothing_is_let_go(echo, monkeypatch):
    monkeypatch.setattr(protocol, "HEAD_WITHIN", 0.2)
    assert sent(echo, b"GET / HTTP/1.1\r\n") == ([408], [])
    assert sent(echo, b"") == ([], [])
    assert sent(echo, get(), b"GET / HT") == ([200, 408], ["GET /x  0 0"])
    with connected(echo) as connection:
        connection.sendall(get())
        wait_for(connection, "[GET /x")
        time.sleep(0.5)  # a connection that is kept is not one that says nothing
        connection.sendall(LAST)
        assert "GET /last" in rest(connection)


def test_a_body_is_sent_within_a_time_too(echo, monkeypatch):
    monkeypatch.setattr(protocol, "BODY_WITHIN", 0.2)
    length = "Content-Length: 5\r\n"
    assert sent(echo, post(length, b"he"))[0] == [408]
    for body in (b"", b"he"):  # answered before its body was here
        with connected(echo) as connection:
            connection.sendall(get("/early", length, method="POST") + body)
            wait_for(connection, "[POST /early")
            assert rest(connection) == ""
    assert sent(echo, post(length, b"hello"), get()) == ([200, 200], ["POST /x  0 5", "GET /x  0 0"])


def test_who_sends_a_body_behind_its_answer_and_nothing_more_is_let_go(echo):
    with connected(echo) as connection:
        connection.sendall(get("/early", "Content-Length: 5\r\n", method="POST"))
        wait_for(connection, "[POST /early")
        connection.sendall(b"hello")
        assert rest(connection) == ""


def test_one_question_is_answered_at_a_time_in_their_order(echo):
    echo.go.clear()
    with connected(echo) as connection:
        connection.sendall(
            get("/slow") + get("/a") + post("Content-Length: 100000\r\n", b"a" * 100_000) + LAST
        )
        time.sleep(0.1)
        connection.sendall(b"")
        echo.go.set()
        found = re.findall(r"\[(\S+ \S+)", rest(connection))
    assert found == ["GET /slow", "GET /a", "POST /x", "GET /last"]


def test_what_follows_chunks_at_once_is_to_be_asked_again(echo):
    assert sent(echo, POST_CHUNKED + b"2\r\nhi\r\n0\r\n\r\n" + LAST) == ([200], ["POST /x  0 2"])


def test_a_body_that_goes_wrong_ends_an_answer_that_has_begun_without_a_word(echo):
    asked = get("/begun", "Transfer-Encoding: chunked\r\n", method="POST")
    with connected(echo) as connection:
        connection.sendall(asked)
        wait_for(connection, "first")
        echo.left.clear()
        connection.sendall(b"garbage\r\n")
        assert rest(connection) == ""
    assert echo.left.wait(5)


def test_who_leaves_is_noticed_whatever_they_sent_before(echo):
    echo.left.clear()
    with connected(echo) as connection:
        connection.sendall(get("/leave") + get("/a"))
        time.sleep(0.05)
    assert echo.left.wait(5)


def test_a_body_may_go_on_behind_its_answer(echo):
    with connected(echo) as connection:
        connection.sendall(get("/early", "Content-Length: 5\r\n", method="POST"))
        wait_for(connection, "[POST /early")
        connection.sendall(b"hello" + LAST)
        assert "[GET /last" in rest(connection)
