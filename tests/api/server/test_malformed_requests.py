"""Malformed requests are refused with 400 before the application sees them: over sockets, as the bytes are sent."""

import pytest

from tests.api.server.echo import POST_CHUNKED, exchange, get, post

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
def test_a_request_that_two_readers_could_understand_differently_is_refused(echo, what):
    assert exchange(echo, MALFORMED[what]) == ([400], [])


@pytest.mark.parametrize("what", MALFORMED)
def test_it_is_refused_behind_a_good_request_too_which_is_answered_first(echo, what):
    assert exchange(echo, get("/first") + MALFORMED[what]) == ([200, 400], ["GET /first  0 0"])


@pytest.mark.parametrize("what", MALFORMED)
def test_it_is_refused_behind_a_chunked_body_too(echo, what):
    first = POST_CHUNKED + b"2\r\nhi\r\n0\r\n\r\n"
    assert exchange(echo, first + MALFORMED[what]) == ([200, 400], ["POST /x  0 2"])
