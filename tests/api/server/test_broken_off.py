"""An answer that is broken off, by the client or the server, is charged, counted and logged with what was sent of it."""

import asyncio
import logging
import socket
import threading

import httpx2
import orjson
import pytest
from starlette.requests import ClientDisconnect

from api.access.rate_limits import RateLimits
from api.render.tables import RENDERERS
from api.server.metrics import Metrics
from api.server.middleware import RequestMiddleware
from api.settings import ApiSettings
from tests.api.conftest import AGGREGATES, used
from tests.live import running_server
from tests.waiting import PATIENCE, wait_until

QUESTION = f"{AGGREGATES}?measure=actions&group_by=category&format=ndjson"
FILE = "/v1/releases/moderation/2026-06.1/files/cells.parquet"
PIECE, MANY = b"x" * 1000, 100_000


def lines(caplog):
    """The access lines, by their route."""
    found = [orjson.loads(record.message) for record in caplog.records if record.levelname == "INFO"]
    return {line["route"]: line for line in found}


def broken_off(client, route):
    """How many answers of a route the metrics say were broken off."""
    name = f'daylight_broken_off_total{{route="{route}"}} '
    found = [line for line in client.get("/metrics").text.splitlines() if line.startswith(name)]
    return float(found[0].removeprefix(name)) if found else 0.0


@pytest.fixture
def streamed(monkeypatch):
    """Let answers be streamed, from a function that gives their pieces."""

    def stream(pieces):
        monkeypatch.setattr("api.query.results.ROWS_PER_CHUNK", 0)
        monkeypatch.setitem(RENDERERS, "ndjson", pieces)

    return stream


def test_an_exception_in_the_middle_of_a_stream_costs_the_bytes_that_were_sent_and_is_not_counted(
    deployment, streamed, caplog
):
    def pieces(answer):
        yield PIECE
        yield PIECE
        raise RuntimeError("a fault")

    streamed(pieces)
    caplog.set_level(logging.INFO, "daylight.access")
    with deployment.client(deployment.token(), limit_standard="2/12hour") as client:
        answers = [client.get(QUESTION, headers={"Accept-Encoding": "identity"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200] * 3, "a fault of ours is given back"
        taken = used(client)
        assert (taken["requests"], taken["rows"], taken["bytes"]) == (3, 0, 3 * 2 * len(PIECE))
        assert broken_off(client, "/v1/datasets/{dataset}/aggregates") == 3
        assert broken_off(client, "/metrics") == 0
    line = lines(caplog)["/v1/datasets/{dataset}/aggregates"]
    assert (line["status"], line["broken_off"]) == (200, True)
    assert not lines(caplog)["/v1/me/usage"]["broken_off"]


def test_a_client_that_disconnects_is_charged_for_what_was_sent(deployment, streamed, caplog):
    left = threading.Event()

    def pieces(answer):
        yield PIECE
        assert left.wait(PATIENCE)
        for _ in range(MANY):
            yield PIECE

    streamed(pieces)
    caplog.set_level(logging.INFO, "daylight.access")
    token, route = deployment.token(), "/v1/datasets/{dataset}/aggregates"
    with running_server(deployment) as url:
        leave(url, QUESTION, token)
        left.set()
        wait_until(lambda: route in lines(caplog))
        assert (lines(caplog)[route]["status"], lines(caplog)[route]["broken_off"]) == (200, True)
    with deployment.client(token) as client:
        taken = used(client)
    assert taken["requests"] == 1
    assert taken["rows"] > 0, "it might have read them all but for the last byte"
    assert len(PIECE) <= taken["bytes"] < MANY * len(PIECE)
    assert taken["bytes"] % len(PIECE) == 0


def test_a_file_that_is_not_read_to_its_end_costs_what_was_sent(deployment, monkeypatch, caplog):
    monkeypatch.setattr("starlette.responses.FileResponse.chunk_size", 1)
    caplog.set_level(logging.INFO, "daylight.access")
    token, route = deployment.token(), "/v1/releases/{dataset}/{release}/files/{name}"
    with running_server(deployment) as url:
        leave(url, FILE, token)
        wait_until(lambda: route in lines(caplog))
        assert lines(caplog)[route]["broken_off"]
    with deployment.client(token) as client:
        taken = used(client)
    whole = (deployment.releases / "moderation" / "2026-06.1" / "cells.parquet").stat().st_size
    assert (taken["requests"], taken["rows"]) == (1, 0)
    assert 0 < taken["bytes"] < whole


def test_an_answer_to_head_is_complete_without_a_body_and_keeps_the_connection_open(deployment, caplog):
    caplog.set_level(logging.INFO, "daylight.access")
    fields = {"Authorization": f"Bearer {deployment.token()}"}
    with (
        running_server(deployment) as url,
        httpx2.Client(base_url=url, headers=fields, timeout=PATIENCE) as client,
    ):
        for path in (QUESTION, FILE, "/v1"):
            assert client.head(path).status_code == 200
    assert [line["broken_off"] for line in lines(caplog).values()] == [False] * 3
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("status", [200, 0])
def test_a_cancelled_request_is_counted_and_logged_with_what_was_sent(status, caplog):
    caplog.set_level(logging.INFO, "daylight.access")

    async def hang(scope, receive, send):
        if status:
            await send({"type": "http.response.start", "status": status, "headers": []})
        await asyncio.Event().wait()

    assert isinstance(asyncio.run(outcome(hang, cancelled=True)), asyncio.CancelledError)
    line = lines(caplog)[None]
    assert (line["status"], line["broken_off"]) == (status, True)


def test_a_client_that_disconnects_within_its_body_is_not_logged_as_an_error(caplog):
    caplog.set_level(logging.INFO, "daylight.access")

    async def read(scope, receive, send):
        raise ClientDisconnect

    assert asyncio.run(outcome(read)) is None
    (record,) = caplog.records
    assert orjson.loads(record.message)["status"] == 0


async def outcome(app, *, cancelled=False):
    """What a request to an application inside `RequestMiddleware` raises, or None."""
    outer = RequestMiddleware(app, RateLimits(ApiSettings()), Metrics())
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}

    async def nothing(*_):
        return {"type": "http.disconnect"}

    task = asyncio.create_task(outer(scope, nothing, nothing))
    await asyncio.sleep(0)  # the task runs until it waits
    if cancelled:
        task.cancel()
    (found,) = await asyncio.gather(task, return_exceptions=True)
    return found


def leave(url, path, token):
    """Send a request, read the beginning of the answer, and disconnect."""
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=PATIENCE) as connection:
        connection.sendall(request.encode())
        begun = b""
        while not begun.partition(b"\r\n\r\n")[2]:
            begun += connection.recv(500)
    assert b" 200 OK" in begun
