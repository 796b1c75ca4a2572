"""Clients of an API over real releases."""

from __future__ import annotations

import os

import pytest
import redis

from api.http.problems import Problem
from tests.deployment import ALL
from tests.waiting import PATIENCE

AGGREGATES = "/v1/datasets/moderation/aggregates"


@pytest.fixture(scope="session")
def token(deployment):
    """A good token for every dataset, of a project with the wide tier."""
    return deployment.token(deployment.project(ALL, "extended"))


@pytest.fixture(scope="session")
def client(deployment, token):
    """A client with a token for every dataset and high limits."""
    with deployment.client(token, limit_open="100000/minute", limit_extended="100000/minute") as client:
        yield client


@pytest.fixture
def anonymous(deployment):
    """A client without a token."""
    with deployment.client(limit_open="100000/minute") as client:
        yield client


@pytest.fixture(scope="session")
def ask(client):
    """A function that asks moderation a question and returns the answer's JSON."""

    def get_answer(**parameters):
        response = client.get(AGGREGATES, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    return get_answer


def used(client):
    """What the project of a client's token has used, on all days together, because a test may run over midnight."""
    days = client.get("/v1/me/usage").json()["days"]
    return {name: sum(day[name] for day in days) for name in ("requests", "rows", "bytes")}


def ensure_problem(response, status, name=None):
    """Ensure that an answer is a problem document (RFC 9457) that does not show internals, and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    Problem.model_validate(body)  # every member that is described as required, and none that is not described
    if name:
        assert body["type"] == f"/problems/{name}"
    lower = response.text.lower()
    for inside in ("traceback", "duckdb", "sqlite", "sqlalchemy", "/tmp", ".py", "pydantic"):
        assert inside not in lower, f"the answer shows {inside}"
    return body


@pytest.fixture(scope="session")
def redis_url():
    """A real Redis. Without one: a failure in CI, left out loudly elsewhere.

    Its address has a timeout that replaces the tenth of a second of the API, which a busy machine may exceed: then the API
    counts in memory, and what the tests expect of Redis is not so.
    """
    url = os.environ.get("DAYLIGHT_TEST_REDIS", "redis://127.0.0.1:6379/15")
    server = redis.Redis.from_url(url, socket_connect_timeout=PATIENCE)
    try:
        server.ping()
    except redis.RedisError:
        missing = f"no Redis answers at {url}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(f"LEFT OUT: {missing}; limits are tested in memory alone")
    finally:
        server.close()
    return f"{url}{'&' if '?' in url else '?'}socket_timeout={PATIENCE}&socket_connect_timeout={PATIENCE}"
