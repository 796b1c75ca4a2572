"""What the server reads, how much of it and for how long, and in which order it answers: over sockets, as the bytes are sent."""

from __future__ import annotations

import json
import re

import pytest

from api.server.protocol import BODY_TIMEOUT, HEAD_TIMEOUT, MAX_HEAD_BYTES
from tests.api.server.echo import (
    CLOSE,
    KEEP_ALIVE,
    LAST,
    PATIENCE,
    POST_CHUNKED,
    connected,
    exchange,
    get,
    parse_answers,
    post,
    wait_until,
)


def test_well_formed_requests_are_read(echo):
    assert exchange(echo, get("/a%2Fb?q=%C3%A9&x=%zz", "X: \xe9\r\n" + CLOSE)) == (
        [200],
        ["GET /a/b q=%C3%A9&x=%zz 1 0"],
    )
    assert exchange(echo, get(version="HTTP/1.0", host="")) == ([200], ["GET /x  0 0"])
    assert exchange(echo, post("Content-Length: 5 \r\n" + CLOSE)) == ([200], ["POST /x  0 5"])
    chunks = b"5;a=b\r\nhello\r\n" + b"1\r\na\r\n" * 20_000 + b"0\r\n\r\n"
    answers = ([200, 200], ["POST /x  0 20005", "GET /last  0 0"])
    assert exchange(echo, POST_CHUNKED + chunks, LAST) == answers
    large = post("Content-Length: 300000\r\n", b"a" * 300_000)
    assert exchange(echo, large + LAST) == ([200, 200], ["POST /x  0 300000", "GET /last  0 0"])


def test_trailers_are_not_added_to_the_fields_of_the_head(echo):
    trailers = POST_CHUNKED + b"5\r\nhello\r\n0\r\nX: evil\r\nHost: evil\r\n\r\n"
    assert exchange(echo, trailers + LAST) == ([200, 200], ["POST /x  0 5", "GET /last  0 0"])


def test_a_request_to_change_the_protocol_is_answered_as_any_other_and_nothing_behind_it_is_lost(echo):
    upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUPGRADE: h2c\r\n"
    asked = post(upgrade + "Content-Length: 5\r\n") + get("/x", upgrade) + LAST
    assert exchange(echo, asked) == ([200] * 3, ["POST /x  0 5", "GET /x  0 0", "GET /last  0 0"])


@pytest.mark.parametrize(
    "pieces", [[b"%c" % byte for byte in get("/a") + LAST], [get("/a")[:-1], b"\n" + LAST]]
)
def test_heads_may_arrive_in_any_pieces(echo, pieces):
    assert exchange(echo, *pieces) == ([200, 200], ["GET /a  0 0", "GET /last  0 0"])


def test_the_size_of_a_head_is_bounded(echo):
    most = MAX_HEAD_BYTES - len(get("/x", f"X: \r\n{CLOSE}"))
    assert exchange(echo, get("/x", f"X: {'a' * most}\r\n{CLOSE}")) == ([200], ["GET /x  1 0"])
    assert exchange(echo, get("/x", f"X: {'a' * (most + 1)}\r\n{CLOSE}")) == ([431], [])
    assert exchange(echo, get("/x", "X: a\r\n" * MAX_HEAD_BYTES))[1] == []
    assert exchange(echo, b"GET /", *[b"a" * 9000] * 4) == ([414], [])
    behind_a_body = post("Content-Length: 5\r\n", b"hello") + get("/x", f"X: {'a' * MAX_HEAD_BYTES}\r\n")
    assert exchange(echo, behind_a_body) == ([200, 431], ["POST /x  0 5"])


@pytest.mark.parametrize(
    ("head", "status", "kind"),
    [
        (b"GET /" + b"a" * MAX_HEAD_BYTES, 414, "/problems/too-long"),
        (
            b"GET /" + b"a" * (MAX_HEAD_BYTES - 20) + b" HTTP/1.1\r\nX: aaaa\r\n\r\n",
            414,
            "/problems/too-long",
        ),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEAD_BYTES, 431, "about:blank"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "/problems/malformed"),
    ],
)
def test_a_head_is_refused_with_a_problem_document_as_all_other_requests_are(echo, head, status, kind):
    with connected(echo) as connection:
        connection.send(head)
        fields, _, body = connection.rest().partition("\r\n\r\n")
    assert "content-type: application/problem+json" in fields
    found = json.loads(body)
    assert (found["type"], found["status"]) == (kind, status)
    assert found["title"] and found["detail"] and found["instance"].startswith("urn:request:")


@pytest.mark.parametrize("begin", [b"5;", b"0\r\nX: "], ids=["chunk extension", "trailer"])
def test_what_stands_around_the_content_of_a_body_is_bounded(echo, begin):
    pieces = [POST_CHUNKED, begin + b"a" * 9000, *[b"a" * 9000] * 100]
    assert exchange(echo, *pieces) == ([400], [])


@pytest.mark.parametrize("before", [b"", get()], ids=["first", "second"])
def test_a_head_that_is_not_complete_in_time_is_refused(echo, before):
    with connected(echo) as connection:
        if before:
            connection.send(before)
            connection.read_until("[GET /x")
        connection.send(b"GET / HT")
        echo.loop.set_forward(HEAD_TIMEOUT - 1)
        echo.loop.set_forward(0)
        assert not connection.is_closed()
        echo.loop.set_forward(2)
        assert parse_answers(connection.rest()) == ([408], [])


def test_a_connection_on_which_nothing_is_sent_is_closed(echo):
    with connected(echo) as connection:
        echo.loop.set_forward(HEAD_TIMEOUT + 1)
        assert connection.rest() == ""


def test_a_connection_that_was_used_is_kept_for_longer_than_a_head_may_take(echo):
    with connected(echo) as connection:
        connection.send(get())
        connection.read_until("[GET /x")
        echo.loop.set_forward(HEAD_TIMEOUT + 1)
        connection.send(LAST)
        assert "GET /last" in connection.rest()


def test_a_body_that_is_not_complete_in_time_is_refused(echo):
    length = "Content-Length: 5\r\n"
    with connected(echo) as connection:
        connection.send(post(length, b"he"))
        echo.loop.set_forward(BODY_TIMEOUT + 1)
        assert parse_answers(connection.rest()) == ([408], [])


@pytest.mark.parametrize("body", [b"", b"he"])
def test_a_body_that_is_not_complete_in_time_behind_its_answer_closes_the_connection(echo, body):
    with connected(echo) as connection:
        connection.send(get("/early", "Content-Length: 5\r\n", method="POST") + body)
        connection.read_until("[POST /early")
        echo.loop.set_forward(BODY_TIMEOUT + 1)
        assert connection.rest() == ""


def test_the_time_for_a_body_ends_with_the_body(echo):
    with connected(echo) as connection:
        connection.send(post("Content-Length: 5\r\n", b"hello"))
        connection.read_until("[POST /x")
        echo.loop.set_forward(BODY_TIMEOUT + 1)
        connection.send(LAST)
        assert "GET /last" in connection.rest()


def test_a_connection_is_closed_some_time_after_a_body_that_followed_its_answer(echo):
    with connected(echo) as connection:
        connection.send(get("/early", "Content-Length: 5\r\n", method="POST"))
        connection.read_until("[POST /early")
        connection.send(b"hello")
        echo.loop.set_forward(KEEP_ALIVE + 1)
        assert connection.rest() == ""


def test_requests_are_answered_one_at_a_time_in_their_order(echo):
    echo.go.clear()
    echo.asked.clear()
    large = post("Content-Length: 100000\r\n", b"a" * 100_000)
    with connected(echo) as connection:
        connection.socket.sendall(get("/slow") + get("/a") + large + LAST)
        wait_until(lambda: echo.received[connection.own_port] > MAX_HEAD_BYTES)
        wait_until(lambda: echo.asked)
        echo.loop.set_forward(0)
        assert echo.asked == ["/slow"]
        echo.go.set()
        found = re.findall(r"\[(\S+ \S+)", connection.rest())
    assert found == ["GET /slow", "GET /a", "POST /x", "GET /last"]


CHUNKS = {
    b"2\r\nhi\r\n0\r\n\r\n": 2,
    b"0\r\n\r\n": 0,
    b"2\r\nhi\r\n0\r\nX: trailer\r\nY: trailer\r\n\r\n": 2,
    b"00d;a=b\r\n\r\n\r\n\r\n0\r\n\r\n\r\n\r\n000\r\n\r\n": 13,  # the content looks like the end of a body
}
"""Chunked bodies, and how many bytes of content they have."""


@pytest.mark.parametrize("chunks", CHUNKS)
def test_a_request_behind_a_chunked_body_is_answered_wherever_the_bytes_are_cut(echo, chunks):
    answers = ([200, 200], [f"POST /x  0 {CHUNKS[chunks]}", "GET /last  0 0"])
    following = chunks + LAST
    for cut in range(len(chunks) + 2):
        assert exchange(echo, POST_CHUNKED + following[:cut], following[cut:]) == answers, cut
    assert exchange(echo, *(b"%c" % byte for byte in POST_CHUNKED + following)) == answers


def test_content_that_is_full_of_empty_lines_is_read_to_its_end(echo):
    content = b"a\r\n\r\n" * 40_000
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    assert exchange(echo, POST_CHUNKED + body + LAST) == ([200, 200], ["POST /x  0 200000", "GET /last  0 0"])


def test_many_requests_with_chunked_bodies_may_be_sent_at_once(echo):
    asked = b"".join(POST_CHUNKED + chunks for chunks in CHUNKS)
    bodies = [f"POST /x  0 {size}" for size in CHUNKS.values()]
    assert exchange(echo, asked + LAST) == ([200] * 5, [*bodies, "GET /last  0 0"])


def test_a_malformed_body_ends_an_answer_that_has_begun_without_another_word(echo):
    with connected(echo) as connection:
        connection.send(get("/begun", "Transfer-Encoding: chunked\r\n", method="POST"))
        connection.read_until("first")
        echo.left.clear()
        connection.send(b"garbage\r\n")
        assert connection.rest() == ""
    assert echo.left.wait(PATIENCE)


def test_the_application_learns_that_the_client_left_whatever_it_sent_before(echo):
    echo.left.clear()
    with connected(echo) as connection:
        connection.send(get("/leave") + get("/a"))
    assert echo.left.wait(PATIENCE)


def test_a_body_may_follow_its_answer(echo):
    with connected(echo) as connection:
        connection.send(get("/early", "Content-Length: 5\r\n", method="POST"))
        connection.read_until("[POST /early")
        connection.send(b"hello" + LAST)
        assert "[GET /last" in connection.rest()
