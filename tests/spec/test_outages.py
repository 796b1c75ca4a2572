"""Outages of PostgreSQL and Redis under load: stopped, frozen and restarted servers.

No request is admitted without a check, no request waits long, and the API recovers by itself.
"""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import make_url

from auth.errors import RegistryUnavailable
from tests.api.conftest import redis_url as redis_url
from tests.deployment import Deployment, mandate
from tests.live import server_processes
from tests.postgresql import database_url
from tests.tcp_proxy import tcp_proxy

pytestmark = pytest.mark.alone

QUESTION = "/v1/datasets/moderation/aggregates?measure=actions&group_by=category"
CLIENTS = 4


@dataclass(frozen=True)
class TimedRequest:
    at: float
    seconds: float
    status: int
    retry_after: str | None


class Load:
    """Clients that send requests without a pause, each over its own connection, until the end of the block."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._fields = url, {"Authorization": f"Bearer {token}"}
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._send_requests) for _ in range(CLIENTS)]
        self.requests: list[TimedRequest] = []

    def _send_requests(self) -> None:
        with httpx2.Client(base_url=self._url, headers=self._fields, timeout=30) as client:
            while not self._stopped.is_set():
                at = time.monotonic()
                answer = client.get(QUESTION)
                retry = answer.headers.get("retry-after")
                self.requests.append(TimedRequest(at, time.monotonic() - at, answer.status_code, retry))
                time.sleep(0.01)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def since(self, moment: float) -> list[TimedRequest]:
        """The requests that were sent after a moment and have been answered."""
        return [request for request in self.requests if request.at >= moment]

    def wait_for(self, status: int, moment: float, seconds: float) -> float:
        """Seconds from a moment to the first answer with this status to a request that was sent after it."""
        while time.monotonic() < moment + seconds:
            found = [each.at + each.seconds for each in self.since(moment) if each.status == status]
            if found:
                return min(found) - moment
            time.sleep(0.02)
        pytest.fail(f"no answer {status} within {seconds} s: {self.since(moment)[-3:]}")


@pytest.fixture(scope="module")
def on_postgresql(postgresql, tmp_path_factory):
    """A deployment whose registry is on PostgreSQL behind a proxy, and the proxy."""
    address = make_url(database_url(postgresql.make()))
    assert address.host is not None
    with tcp_proxy(address.host, address.port or 5432) as proxy:
        url = address.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        made = Deployment(tmp_path_factory.mktemp("outage") / "home", url)
        made.release("moderation", "2026-06", rows=2000)
        yield made, proxy
        proxy.resume()
        made.close()


@pytest.mark.parametrize("outage", ["stopped", "frozen"])
def test_without_postgresql_requests_are_refused_with_503_within_three_seconds(on_postgresql, outage):
    own_deployment, proxy = on_postgresql
    token = own_deployment.token(own_deployment.project(tier="extended"))
    settings = {
        "DAYLIGHT_REGISTRY_URL": own_deployment.registry_settings.registry_url,
        "DAYLIGHT_LIMIT_EXTENDED": "1000000/minute",
    }
    with server_processes(own_deployment, 1, **settings) as (url,), Load(url, token) as load:
        load.wait_for(200, time.monotonic(), 60)
        proxy.stop() if outage == "stopped" else proxy.freeze()
        outage_began = time.monotonic()
        time.sleep(3.5)
        ready = httpx2.get(f"{url}/readyz", timeout=10)
        assert ready.status_code == 503
        assert ready.elapsed.total_seconds() < 3
        assert httpx2.get(f"{url}/healthz").status_code == 200
        proxy.resume()
        outage_ended = time.monotonic()
        assert load.wait_for(200, outage_ended, 60) < 5
        during = [each for each in load.since(outage_began) if each.at + each.seconds < outage_ended]
        assert during
        assert {each.status for each in during} == {503}
        assert all(each.retry_after for each in during)
        assert max(each.seconds for each in load.since(outage_began)) < 3
        time.sleep(1)
        assert {each.status for each in load.since(time.monotonic() - 0.5)} == {200}


def test_a_change_is_given_up_within_three_seconds_and_not_made_when_the_database_does_not_answer(
    on_postgresql,
):
    own_deployment, proxy = on_postgresql
    project = own_deployment.project()
    jti = own_deployment.registry.tokens.find(own_deployment.token(project), datetime.now(UTC)).token_id
    proxy.freeze()
    began = time.monotonic()
    try:
        with pytest.raises(RegistryUnavailable):
            own_deployment.registry.tokens.revoke(jti, mandate())
        assert time.monotonic() - began < 3
    finally:
        proxy.resume()
    assert own_deployment.registry.tokens.find(jti, datetime.now(UTC)).state == "active"
    assert own_deployment.registry.tokens.revoke(jti, mandate()).closed == (jti,)


def test_without_redis_limits_are_counted_in_memory_and_no_answer_changes(deployment, redis_url):
    address = urlsplit(redis_url)
    token = deployment.token(deployment.project(tier="extended"))
    with tcp_proxy(address.hostname or "127.0.0.1", address.port or 6379) as proxy:
        settings = {
            "DAYLIGHT_REDIS_URL": f"redis://127.0.0.1:{proxy.port}{address.path}",
            "DAYLIGHT_LIMIT_EXTENDED": "1000000/minute",
        }
        with server_processes(deployment, 1, **settings) as (url,), Load(url, token) as load:
            load.wait_for(200, time.monotonic(), 60)
            time.sleep(0.5)
            started = time.monotonic()
            for change in (proxy.freeze, proxy.resume, proxy.stop, proxy.resume):
                change()
                time.sleep(2)
        found = load.since(started)
        assert {each.status for each in found} == {200}
        assert max(each.seconds for each in found) < 1.5, "Redis is silent for two seconds"
