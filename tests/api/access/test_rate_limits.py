"""Rate limits: on every route, per project or per address, and shown in the fields of every answer."""

import socket
import threading
import time

import httpx2
import pytest

from api.access.rate_limits import LimitsSwitchedOff
from api.access.storage import SweepingMemoryStorage
from api.app import create_app
from api.settings import ApiSettings
from datasets.catalogue import DATASETS
from tests.api.conftest import AGGREGATES, ensure_problem
from tests.live import running_server, server_processes
from tests.waiting import PATIENCE

QUESTION = f"{AGGREGATES}?measure=actions"
FILLED = {
    "dataset": "moderation", "release": "2026-06.1", "other": "2026-05.1", "token": "tok_" + "a" * 26,
    "period": "2026-06", "part": "4_notices", "session": "tok_" + "b" * 26,
}  # fmt: skip
NAMES = {
    "admin/projects": "REQ-1",
    "problems": "token-missing",
    "files": "cells.parquet",
    "docs": "start.js",
    "codelists": "category",
}


def addresses(client):
    """Every address of the API's description that answers GET, filled in."""
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        if "get" not in operations:
            continue
        name = next((name for part, name in NAMES.items() if part in path), "")
        yield path.format(name=name, **FILLED)


def test_every_route_is_limited(deployment, token):
    session = deployment.session()
    with deployment.client(token, limit_open="100000/minute", limit_extended="100000/minute") as client:
        paths = list(addresses(client))
    assert len(paths) >= 30
    for path in paths:
        shown = session if path.startswith("/v1/admin") else token
        with deployment.client(
            shown,
            limit_open="1/12hour",
            limit_extended="1/12hour",
            limit_files="1/12hour",
            limit_admin="1/12hour",
        ) as client:
            assert client.get(path).status_code in {200, 404, 422}, path
            answer = client.get(path)
            ensure_problem(answer, 429, "too-many-requests")


def test_routes_that_change_something_are_limited_too(deployment):
    project = deployment.project()
    fields = [{"Authorization": f"Bearer {deployment.token(project)}"} for _ in range(2)]
    for method, path in (
        ("POST", "/v1/me/tokens/rotate"),
        ("DELETE", "/v1/me/tokens/current"),
        ("POST", "/v1/tokens/revoke"),
    ):
        with deployment.client(limit_open="1/12hour") as client:
            statuses = [
                client.request(method, path, headers=each, json={"token": "x"}).status_code for each in fields
            ]
            assert statuses[0] in {201, 204}
            assert statuses[1] == 429, path


def test_every_route_of_the_application_is_in_its_description(deployment):
    """So that the walk above has seen them all: nothing is mounted that the description hides."""
    with deployment.client() as client:
        described = set(client.get("/openapi.json").json()["paths"])
        routes = set()
        for route in client.app.routes:
            inner = getattr(route, "original_router", None) or getattr(route, "router", None)
            for each in inner.routes if inner is not None else [route]:
                routes.add(each.path)
    for dataset in (declared.name for declared in DATASETS):  # questions are described once for each
        for asked in ("aggregates", "plan", "citation"):
            assert f"/v1/datasets/{dataset}/{asked}" in described
            described.discard(f"/v1/datasets/{dataset}/{asked}")
            described.add(f"/v1/datasets/{{dataset}}/{asked}")
    assert routes == described


def test_a_429_names_the_policy_and_the_seconds_to_wait(deployment):
    with deployment.client(deployment.token(), limit_standard="2/12hour") as client:
        first = client.get(QUESTION)
        assert first.headers["ratelimit-policy"] == '"project";q=2;w=43200'
        assert first.headers["ratelimit"].startswith('"project";r=1;')
        assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("2", "1")
        assert "retry-after" not in first.headers
        client.get(QUESTION)
        answer = client.get(QUESTION)
        body = ensure_problem(answer, 429, "too-many-requests")
        assert body["policy"] == "project"
        assert 1 <= int(answer.headers["retry-after"]) <= 43_200
        assert answer.headers["x-ratelimit-remaining"] == "0"


def test_all_tokens_paths_and_spellings_of_a_project_share_one_limit(deployment):
    project = deployment.project()
    tokens = [deployment.token(project) for _ in range(10)]
    with deployment.client(limit_standard="10/12hour") as client:
        for number, text in enumerate(tokens):
            fields = {"Authorization": f"Bearer {text}", "X-Forwarded-For": f"10.0.0.{number}"}
            assert client.get(
                f"{QUESTION}&category={'VIOLENCE' if number % 2 else 'SELF_HARM'}", headers=fields
            ).is_success
        spellings = ("ads", "Moderation", "MODERATION", "%6Doderation", "moderation%20", "nothing")
        for path in (f"{QUESTION}&period=2026-05", *(QUESTION.replace("moderation", s) for s in spellings)):
            ensure_problem(client.get(path, headers=fields), 429)
        for scheme in ("bearer", "BEARER", "Bearer  "):  # the token is the same, and so is the project
            ensure_problem(client.get(QUESTION, headers={"Authorization": f"{scheme} {text}"}), 429)
        ensure_problem(client.post(AGGREGATES, headers=fields, json={"measure": "actions"}), 429)
        changed = (("/v1/", "//v1/"), ("/v1/", "/V1/"), ("aggregates", "aggregates/"))
        for path in (QUESTION.replace(*change) for change in changed):
            ensure_problem(client.get(path, headers=fields), 404)  # there is no such route
        assert client.head(QUESTION, headers=fields).status_code == 429
        other = {"Authorization": f"Bearer {deployment.token()}"}
        assert client.get(QUESTION, headers=other).status_code == 200


def test_metadata_has_a_limit_of_its_own(deployment):
    with deployment.client(deployment.token(), limit_standard="1/12hour", limit_open="3/12hour") as client:
        assert client.get(QUESTION).status_code == 200
        assert client.get(QUESTION).status_code == 429
        assert [client.get("/v1").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_files_have_a_limit_of_their_own(deployment):
    """A reader that uses ranges sends a hundred requests for one table, and must still be able to ask questions."""
    path = "/v1/releases/moderation/2026-06.1/files/cells.parquet"
    with deployment.client(deployment.token(), limit_standard="1/12hour", limit_files="3/12hour") as client:
        statuses = [client.get(path, headers={"Range": "bytes=0-9"}).status_code for _ in range(4)]
        assert statuses == [206, 206, 206, 429]
        assert client.get(path).json()["policy"] == "files"
        assert client.get(QUESTION).status_code == 200


def test_each_tier_has_its_own_limit(deployment):
    extended = deployment.token(deployment.project(tier="extended"))
    with deployment.client(extended, limit_standard="1/12hour", limit_extended="7/12hour") as client:
        assert client.get(QUESTION).headers["ratelimit-policy"] == '"project";q=7;w=43200'


@pytest.mark.parametrize("value", ["false", "0", "False"])
def test_the_api_does_not_start_if_the_environment_switches_limits_off(monkeypatch, value):
    monkeypatch.setenv("RATELIMIT_ENABLED", value)
    with pytest.raises(LimitsSwitchedOff, match="RATELIMIT_ENABLED"):
        create_app(ApiSettings())


def test_processes_share_limits_through_redis(deployment, redis_url):
    text = deployment.token()
    settings = {"redis_url": redis_url, "limit_standard": "3/12hour"}
    with deployment.client(text, **settings) as one, deployment.client(text, **settings) as two:
        statuses = [client.get(QUESTION).status_code for client in (one, two, one, two)]
    assert statuses == [200, 200, 200, 429]


def test_limits_are_counted_in_memory_if_redis_does_not_answer(deployment):
    with deployment.client(
        deployment.token(), redis_url="redis://127.0.0.1:1/0", limit_standard="2/12hour"
    ) as client:
        assert [client.get(QUESTION).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("storage", ["memory", "redis"])
def test_a_304_is_not_counted(deployment, redis_url, storage):
    settings = {"redis_url": redis_url} if storage == "redis" else {}
    with deployment.client(deployment.token(), limit_standard="3/12hour", **settings) as client:
        etag = client.get(QUESTION).headers["etag"]
        left = [client.get(QUESTION, headers={"If-None-Match": etag}) for _ in range(5)]
        assert {answer.status_code for answer in left} == {304}
        assert {answer.headers["x-ratelimit-remaining"] for answer in left} == {"2"}
        assert [client.get(QUESTION).status_code for _ in range(3)] == [200, 200, 429]


def test_a_500_is_not_counted(deployment, monkeypatch):
    with deployment.client(deployment.token(), limit_standard="2/12hour") as client:
        with monkeypatch.context() as broken:
            broken.setattr("api.query.results.etag_of", lambda *_: 1 / 0)
            assert [client.get(QUESTION).status_code for _ in range(3)] == [500, 500, 500]
        assert [client.get(QUESTION).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("storage", ["memory", "redis"])
def test_a_429_is_not_counted_and_a_refused_question_is(deployment, redis_url, storage):
    settings = {"redis_url": redis_url} if storage == "redis" else {}
    wrong = f"{QUESTION}&limit=0"
    with deployment.client(deployment.token(), limit_standard="3/12hour", quota_rows=1, **settings) as client:
        assert client.get(wrong).status_code == 422
        assert client.get(QUESTION).headers["x-ratelimit-remaining"] == "1"
        for _ in range(3):  # the quota is spent
            answer = client.get(QUESTION)
            ensure_problem(answer, 429, "quota-spent")
            assert answer.headers["x-ratelimit-remaining"] == "1"
    token = deployment.token()
    with deployment.client(token, limit_standard="1/12hour", **settings) as client:
        assert client.get(wrong).status_code == 422
        for _ in range(3):  # nothing was counted, and nothing is given back
            ensure_problem(client.get(QUESTION), 429, "too-many-requests")


def test_every_request_of_an_admin_is_limited(deployment):
    session = deployment.session()
    with deployment.client(session) as client:
        described = client.get("/openapi.json").json()["paths"]
    acts = [
        (m, p) for p, found in described.items() if p.startswith("/v1/admin") for m in found if m != "get"
    ]
    assert len(acts) >= 15
    for method, path in acts:
        there = path.format(name="REQ-1", kid="0" * 16, purpose="token", notice="ntc_a", **FILLED)
        with deployment.client(session, limit_admin="1/12hour") as client:
            assert client.request(method, there, json={}).status_code == 400, (
                path
            )  # no reason: nothing is done
            ensure_problem(client.request(method, there, json={}), 429, "too-many-requests")


def test_other_methods_http_versions_and_forwarding_fields_share_the_same_limit(deployment):
    project = deployment.project()
    tokens = [deployment.token(project) for _ in range(10)]
    with running_server(deployment, limit_standard="3/12hour") as url:
        port = int(url.rsplit(":", 1)[1])
        asked = [
            ("GET", "1.1", ""),
            ("HEAD", "1.1", "X-Forwarded-For: 192.0.2.1\r\n"),
            ("GET", "1.0", "Forwarded: for=192.0.2.2\r\n"),
            ("GET", "1.0", "X-Real-IP: 192.0.2.3\r\n"),
            ("HEAD", "1.1", "X-Forwarded-Host: example.org\r\n"),
            ("GET", "1.1", "X-HTTP-Method-Override: POST\r\n"),
        ]
        found = [raw(port, *each, token) for each, token in zip(asked, tokens, strict=False)]
    assert found == [200, 200, 200, 429, 429, 429]


def from_proxy(client, forwarded):
    return client.get("/v1", headers={"X-Forwarded-For": forwarded}).status_code


def test_counting_in_memory_starts_no_thread_and_removes_expired_counters(monkeypatch):
    counts = SweepingMemoryStorage()
    counts.timer.join()
    began: list[threading.Thread] = []
    monkeypatch.setattr(threading.Thread, "start", began.append)
    now = time.monotonic()
    monkeypatch.setattr(
        "api.access.storage.time", type("Clock", (), {"monotonic": staticmethod(lambda: now)})
    )
    counts.incr("old", 0)
    counts.incr("new", 60)
    assert set(counts.storage) == {"old", "new"}
    now += 11
    counts.incr("new", 60)
    assert (set(counts.storage), counts.get("new"), began) == ({"new"}, 2, [])


def test_only_the_forwarding_field_of_a_named_proxy_distinguishes_clients(deployment):
    settings = {"DAYLIGHT_PROXIES": "127.0.0.1", "DAYLIGHT_LIMIT_OPEN": "2/12hour"}
    with (
        server_processes(deployment, 1, **settings) as (url,),
        httpx2.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        assert [from_proxy(client, "192.0.2.1") for _ in range(3)] == [200, 200, 429]
        # the entries before the proxy's own were written by the client, and change nothing
        assert from_proxy(client, "198.51.100.9, 192.0.2.1") == 429
        assert from_proxy(client, "192.0.2.2") == 200
        network = "2001:db8:0:1"
        found = [from_proxy(client, f"{network}:{host}::1") for host in ("a", "b", "c")]
        assert found == [200, 200, 429], "an IPv6 network is one client"


@pytest.mark.parametrize("value", ["*", "10.0.0.7,*", "proxy.example", "10.0.0.1/8"])
def test_proxies_are_addresses_or_networks(value):
    with pytest.raises(ValueError, match="is not an address or a network"):
        ApiSettings(proxies=value)


def raw(port, method, version, field, token):
    """The status of one request, written by hand."""
    text = f"{method} {QUESTION} HTTP/{version}\r\nHost: x\r\nConnection: close\r\n{field}Authorization: Bearer {token}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(text.encode())
        return int(connection.recv(64).split()[1])
