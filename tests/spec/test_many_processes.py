"""Several API processes over one registry and one Redis are one service: limits are exact, and what an admin does holds at once."""

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.api.conftest import redis_url as redis_url
from tests.deployment import mandate

pytestmark = pytest.mark.alone

QUESTION = "/v1/datasets/moderation/aggregates?measure=actions"


@contextmanager
def processes(deployment, number, log=Path(os.devnull), **settings):
    """So many processes of `daylight serve` over a deployment, with their logs in a file; gives their addresses."""
    with ExitStack() as stack:
        lines = stack.enter_context(log.open("ab"))
        urls = []
        for _ in range(number):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            env = {**os.environ, "DAYLIGHT_HOME": str(deployment.home), **settings}
            command = [str(Path(sys.executable).with_name("daylight")), "serve", "--port", str(port)]
            server = stack.enter_context(subprocess.Popen(command, env=env, stdout=lines, stderr=lines))
            stack.callback(server.terminate)
            urls.append(f"http://127.0.0.1:{port}")
        for url in urls:
            until = time.monotonic() + 30
            while time.monotonic() < until:
                try:
                    httpx2.get(f"{url}/healthz")
                    break
                except httpx2.TransportError:
                    time.sleep(0.1)
        yield urls


@pytest.fixture(scope="module")
def place(deployment, tmp_path_factory):
    copy = deployment.copy(tmp_path_factory.mktemp("many") / "home")
    yield copy
    copy.close()


def test_four_processes_admit_as_many_as_one_would(place, redis_url):
    """4 x 500 requests against 100 in half a day: a window so long that none slides by while they are sent."""
    token = place.token()
    settings = {"DAYLIGHT_REDIS_URL": redis_url, "DAYLIGHT_LIMIT_STANDARD": "100/12hour"}
    with processes(place, 4, **settings) as urls, ThreadPoolExecutor(4) as threads:

        def ask(url):
            with httpx2.Client(headers={"Authorization": f"Bearer {token}"}) as client:
                return [client.get(url + QUESTION).status_code for _ in range(500)]

        found = [status for statuses in threads.map(ask, urls) for status in statuses]
    assert len(found) == 2000
    assert found.count(200) == 100
    assert found.count(429) == 1900


def test_revocation_suspension_and_end_hold_in_every_process_from_the_next_request(place):
    projects = [place.project() for _ in range(3)]
    tokens = [place.token(project) for project in projects]
    acts = (
        lambda: place.registry.tokens.revoke(tokens[0], mandate()),
        lambda: place.registry.projects.set_status(projects[1], "suspended", mandate()),
        lambda: place.registry.projects.set_status(projects[2], "ended", mandate()),
    )
    with processes(place, 3) as urls:
        for text, act in zip(tokens, acts, strict=True):
            fields = {"Authorization": f"Bearer {text}"}
            assert [httpx2.get(url + QUESTION, headers=fields).status_code for url in urls] == [200] * 3
            act()
            assert [httpx2.get(url + QUESTION, headers=fields).status_code for url in urls] == [401] * 3


def test_a_cursor_of_one_process_is_read_by_another_and_answers_are_the_same_bytes(place):
    fields = {"Authorization": f"Bearer {place.token()}"}
    question = f"{QUESTION}&group_by=category&limit=5"
    with processes(place, 2) as (one, other):
        first, same = (httpx2.get(url + question, headers=fields) for url in (one, other))
        assert first.content == same.content
        assert first.headers["etag"] == same.headers["etag"]
        cursor = first.json()["page"]["next"]
        following = httpx2.get(f"{other}{question}&cursor={cursor}", headers=fields)
        assert following.json()["page"]["returned"] == 5
