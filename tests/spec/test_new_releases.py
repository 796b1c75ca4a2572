"""Several API processes under load start to serve a correction by themselves.

Every request is answered, first from the old release and then from the new one, and no request waits while it is opened.
"""

import threading
import time

import httpx2
import pytest

from datasets.release.answer.release import open_release
from datasets.release.store import store
from tests.live import running_server, server_processes

QUESTION = "/v1/datasets/moderation/aggregates?measure=actions,accounts&group_by=category&period=2026-06"
OPEN = ("/healthz", "/v1", "/readyz")


class LoadClient:
    """A client that sends requests to one process without a pause: a question, and the open routes."""

    def __init__(self, url, token):
        self.url, self.token = url, token
        self.questions, self.others = [], []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send_requests)
        self._thread.start()

    def _send_requests(self):
        fields = {"Authorization": f"Bearer {self.token}"}
        with httpx2.Client(base_url=self.url, headers=fields, timeout=30) as client:
            while not self._stopped.is_set():
                at = time.monotonic()
                answer = client.get(QUESTION)
                self.questions.append(
                    (at, time.monotonic() - at, answer.status_code, answer.headers.get("data-release"))
                )
                for path in OPEN:
                    at = time.monotonic()
                    status = client.get(path).status_code
                    self.others.append((at, time.monotonic() - at, status, ""))
                time.sleep(0.02)

    def wait_for(self, release, seconds):
        until = time.monotonic() + seconds
        while not self.questions or self.questions[-1][3] != release:
            assert time.monotonic() < until, f"{release} is not served"
            time.sleep(0.05)

    def stop(self):
        self._stopped.set()
        self._thread.join()


def number_of_slow_requests(requests, since, until):
    """How many requests between two moments took 0.3 s longer than the slowest request of the two seconds before."""
    usual = max(seconds for at, seconds, *_ in requests if since - 2 <= at < since)
    return sum(seconds > usual + 0.3 for at, seconds, *_ in requests if since <= at < until)


@pytest.fixture
def slow_opening(monkeypatch):
    """A function that makes the opening of a release take 1.5 s longer."""

    def open_slowly(*arguments):
        time.sleep(1.5)
        return open_release(*arguments)

    return lambda: monkeypatch.setattr(store, "open_release", open_slowly)


def test_no_request_waits_while_a_new_release_or_an_old_one_requested_by_name_is_opened(
    deployment, corrected, tmp_path, slow_opening
):
    own_deployment = deployment.copy(tmp_path / "home")
    token = own_deployment.token(own_deployment.project(tier="extended"))
    fields = {"Authorization": f"Bearer {token}"}
    with running_server(own_deployment, limit_open="1000000/minute", limit_extended="1000000/minute") as url:
        slow_opening()
        client = LoadClient(url, token)
        client.wait_for("2026-06.1", 60)
        own_deployment.copy_release_from(corrected)
        client.wait_for("2026-06.2", 60)
        client.stop()
        assert max(seconds for _, seconds, *_ in client.questions + client.others) < 1
    with running_server(own_deployment, limit_open="1000000/minute", limit_extended="1000000/minute") as url:
        time.sleep(0.3)
        client = LoadClient(url, token)
        begun = time.monotonic()
        assert httpx2.get(f"{url}{QUESTION}&release=2026-06.1", headers=fields, timeout=20).status_code == 200
        assert time.monotonic() - begun > 1.5
        client.stop()
        assert max(seconds for _, seconds, *_ in client.questions + client.others) < 1
    own_deployment.close()


def test_every_process_starts_to_serve_a_correction_without_a_dropped_or_a_slow_request(
    deployment, corrected, tmp_path
):
    """The correction is built elsewhere and copied at once, as on another host: this measures how it is opened, not the build."""
    own_deployment = deployment.copy(tmp_path / "home")
    token = own_deployment.token(own_deployment.project(tier="extended"))
    settings = {"DAYLIGHT_LIMIT_EXTENDED": "1000000/minute", "DAYLIGHT_LIMIT_OPEN": "1000000/minute"}
    with server_processes(own_deployment, 2, **settings) as urls:
        clients = [LoadClient(url, token) for url in urls]
        for client in clients:
            client.wait_for("2026-06.1", 60)
        time.sleep(2)
        published = time.monotonic()
        own_deployment.copy_release_from(corrected)
        for client in clients:
            client.wait_for("2026-06.2", 60)
        until = time.monotonic()
        time.sleep(0.5)
        for client in clients:
            client.stop()
    for client in clients:
        assert {status for _, _, status, _ in client.questions + client.others} == {200}
        releases = [release for *_, release in client.questions]
        changed = releases.index("2026-06.2")
        assert set(releases[:changed]) == {"2026-06.1"}
        assert set(releases[changed:]) == {"2026-06.2"}
        everything = client.questions + client.others
        assert number_of_slow_requests(everything, published, until) <= len(everything) / 100
    own_deployment.close()
