"""When PostgreSQL or Redis is stopped, silent or restarted under load: nobody is let in unseen, nobody waits long, and all is well again
by itself."""

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
from tests.cable import cable
from tests.deployment import Deployment, mandate
from tests.postgresql import database_url
from tests.spec.test_many_processes import processes

pytestmark = pytest.mark.alone

QUESTION = "/v1/datasets/moderation/aggregates?measure=actions&group_by=category"
ASKERS = 4


@dataclass(frozen=True)
class Asked:
    at: float
    seconds: float
    status: int
    retry_after: str | None


class Load:
    """Askers who ask without a pause, each over a connection of its own, while the block lasts."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._fields = url, {"Authorization": f"Bearer {token}"}
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(ASKERS)]
        self.asked: list[Asked] = []

    def _ask(self) -> None:
        with httpx2.Client(base_url=self._url, headers=self._fields, timeout=30) as client:
            while not self._over.is_set():
                at = time.monotonic()
                answer = client.get(QUESTION)
                retry = answer.headers.get("retry-after")
                self.asked.append(Asked(at, time.monotonic() - at, answer.status_code, retry))
                time.sleep(0.01)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def since(self, moment: float) -> list[Asked]:
        """What was asked after a moment, and is answered."""
        return [asked for asked in self.asked if asked.at >= moment]

    def wait_for(self, status: int, moment: float, seconds: float) -> float:
        """How long after a moment somebody who asked after it got this status."""
        while time.monotonic() < moment + seconds:
            found = [asked.at + asked.seconds for asked in self.since(moment) if asked.status == status]
            if found:
                return min(found) - moment
            time.sleep(0.02)
        pytest.fail(f"nobody was answered {status} within {seconds} s: {self.since(moment)[-3:]}")


@pytest.fixture(scope="module")
def on_postgresql(postgresql, tmp_path_factory):
    """A deployment whose registry is on PostgreSQL, at the end of a cable."""
    address = make_url(database_url(postgresql.make()))
    with cable(address.host, address.port or 5432) as wire:
        url = address.set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
        made = Deployment(tmp_path_factory.mktemp("outage") / "home", url)
        made.release("moderation", "2026-06", rows=2000)
        yield made, wire
        wire.mend()
        made.close()


@pytest.mark.parametrize("trouble", ["stopped", "silent"])
def test_without_postgresql_nobody_is_let_in_or_kept_waiting(on_postgresql, trouble):
    place, wire = on_postgresql
    token = place.token(place.project(tier="extended"))
    settings = {
        "DAYLIGHT_REGISTRY_URL": place.registry_settings.registry_url,
        "DAYLIGHT_LIMIT_EXTENDED": "1000000/minute",
    }
    with processes(place, 1, **settings) as (url,), Load(url, token) as load:
        load.wait_for(200, time.monotonic(), 10)
        wire.cut() if trouble == "stopped" else wire.silence()
        gone = time.monotonic()
        time.sleep(3.5)
        ready = httpx2.get(f"{url}/readyz", timeout=10)
        assert ready.status_code == 503
        assert ready.elapsed.total_seconds() < 3
        assert httpx2.get(f"{url}/healthz").status_code == 200
        wire.mend()
        back = time.monotonic()
        assert load.wait_for(200, back, 5) < 5
        meanwhile = [asked for asked in load.since(gone) if asked.at + asked.seconds < back]
        assert meanwhile
        assert {asked.status for asked in meanwhile} == {503}
        assert all(asked.retry_after for asked in meanwhile)
        assert max(asked.seconds for asked in load.since(gone)) < 3
        time.sleep(1)
        assert {asked.status for asked in load.since(time.monotonic() - 0.5)} == {200}


def test_an_act_that_meets_silence_is_given_up_in_time_and_not_done(on_postgresql):
    place, wire = on_postgresql
    project = place.project()
    jti = place.registry.tokens.find(place.token(project), datetime.now(UTC)).token_id
    wire.silence()
    began = time.monotonic()
    try:
        with pytest.raises(RegistryUnavailable):
            place.registry.tokens.revoke(jti, mandate())
        assert time.monotonic() - began < 3
    finally:
        wire.mend()
    assert place.registry.tokens.find(jti, datetime.now(UTC)).state == "active"
    assert place.registry.tokens.revoke(jti, mandate()) == (jti, True)


def test_without_redis_limits_are_kept_in_memory_and_nobody_notices(deployment, redis_url):
    address = urlsplit(redis_url)
    token = deployment.token(deployment.project(tier="extended"))
    with cable(address.hostname or "127.0.0.1", address.port or 6379) as wire:
        settings = {
            "DAYLIGHT_REDIS_URL": f"redis://127.0.0.1:{wire.port}{address.path}",
            "DAYLIGHT_LIMIT_EXTENDED": "1000000/minute",
        }
        with processes(deployment, 1, **settings) as (url,), Load(url, token) as load:
            load.wait_for(200, time.monotonic(), 10)
            time.sleep(0.5)
            started = time.monotonic()
            for trouble in (wire.silence, wire.mend, wire.cut, wire.mend):
                trouble()
                time.sleep(2)
        found = load.since(started)
        assert {asked.status for asked in found} == {200}
        assert max(asked.seconds for asked in found) < 0.3
