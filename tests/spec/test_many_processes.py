"""Several API processes over one registry and one Redis act as one service: limits are exact, and changes by admins hold at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx2
import pytest

from tests.api.conftest import redis_url as redis_url
from tests.deployment import mandate
from tests.live import server_processes
from tests.waiting import PATIENCE

pytestmark = pytest.mark.alone

QUESTION = "/v1/datasets/moderation/aggregates?measure=actions"


@pytest.fixture(scope="module")
def own_deployment(deployment, tmp_path_factory):
    copy = deployment.copy(tmp_path_factory.mktemp("many") / "home")
    yield copy
    copy.close()


def test_four_processes_admit_as_many_as_one_would(own_deployment, redis_url):
    """4 x 500 requests at a limit of 100 in half a day: the window is so long that none of them leaves it during the test."""
    token = own_deployment.token()
    settings = {"DAYLIGHT_REDIS_URL": redis_url, "DAYLIGHT_LIMIT_STANDARD": "100/12hour"}
    with server_processes(own_deployment, 4, **settings) as urls, ThreadPoolExecutor(4) as threads:

        def ask(url):
            with httpx2.Client(headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE) as client:
                return [client.get(url + QUESTION).status_code for _ in range(500)]

        found = [status for statuses in threads.map(ask, urls) for status in statuses]
    assert len(found) == 2000
    assert found.count(200) == 100
    assert found.count(429) == 1900


def test_revocation_suspension_and_end_hold_in_every_process_from_the_next_request(own_deployment):
    projects = [own_deployment.project() for _ in range(4)]
    *tokens, rotated = [own_deployment.token(project) for project in projects]
    tokens.append(own_deployment.registry.tokens.rotate(rotated, timedelta(hours=1), mandate()).text)
    changes = (
        lambda: own_deployment.registry.tokens.revoke(tokens[0], mandate()),
        lambda: own_deployment.registry.projects.set_status(projects[1], "suspended", mandate()),
        lambda: own_deployment.registry.projects.set_status(projects[2], "ended", mandate()),
        lambda: own_deployment.registry.tokens.revoke(rotated, mandate()),
    )
    with server_processes(own_deployment, 3) as urls:
        for text, change in zip(tokens, changes, strict=True):
            fields = {"Authorization": f"Bearer {text}"}
            assert [
                httpx2.get(url + QUESTION, headers=fields, timeout=PATIENCE).status_code for url in urls
            ] == [200] * 3
            change()
            assert [
                httpx2.get(url + QUESTION, headers=fields, timeout=PATIENCE).status_code for url in urls
            ] == [401] * 3


def test_another_process_reads_a_cursor_and_gives_the_same_bytes(own_deployment):
    fields = {"Authorization": f"Bearer {own_deployment.token()}"}
    question = f"{QUESTION}&group_by=category&limit=5"
    with server_processes(own_deployment, 2) as (one, other):
        first, same = (httpx2.get(url + question, headers=fields, timeout=PATIENCE) for url in (one, other))
        assert first.content == same.content
        assert first.headers["etag"] == same.headers["etag"]
        cursor = first.json()["page"]["next"]
        following = httpx2.get(f"{other}{question}&cursor={cursor}", headers=fields, timeout=PATIENCE)
        assert following.json()["page"]["returned"] == 5
