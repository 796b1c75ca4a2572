"""Several API processes under load start to serve a correction by themselves.

Every request is answered, first from the old release and then from the new one, and no request waits while it is opened.
"""

import threading
import time
from dataclasses import dataclass

import httpx2
import pytest

from datasets.release.answer.release import open_release
from datasets.release.store import store
from tests.live import running_server, server_processes
from tests.waiting import PATIENCE, wait_until

QUESTION = "/v1/datasets/moderation/aggregates?measure=actions,accounts&group_by=category&period=2026-06"
OPEN = ("/healthz", "/v1", "/readyz")


@dataclass(frozen=True)
class Answer:
    """The status of an answer to the question, and the release that it is from."""

    status: int
    release: str | None


class LoadClient:
    """A client that sends requests to one process without a pause: a question, and the open routes."""

    def __init__(self, url, token):
        self.url, self.token = url, token
        self.questions: list[Answer] = []
        self.open_statuses: set[int] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send_requests)
        self._thread.start()

    def _send_requests(self):
        fields = {"Authorization": f"Bearer {self.token}"}
        with httpx2.Client(base_url=self.url, headers=fields, timeout=PATIENCE) as client:
            while not self._stopped.is_set():
                self.open_statuses.update(client.get(path).status_code for path in OPEN)
                answer = client.get(QUESTION)
                self.questions.append(Answer(answer.status_code, answer.headers.get("data-release")))
                time.sleep(0.02)

    def wait_for(self, release):
        wait_until(lambda: self.questions and self.questions[-1].release == release, release)

    def wait_for_answers(self, number):
        """Wait until so many more questions, and as many requests of each open route, have been answered."""
        until = len(self.questions) + number
        wait_until(lambda: len(self.questions) >= until, "an answer")

    def stop(self):
        self._stopped.set()
        self._thread.join()


@pytest.fixture
def hold_openings(monkeypatch):
    """Lets the opening of a release wait until a client has got five more answers; returns the list of what was opened."""

    def hold(client):
        opened = []

        def open_when_answered(*arguments):
            opened.append(arguments)
            client.wait_for_answers(5)
            return open_release(*arguments)

        monkeypatch.setattr(store, "open_release", open_when_answered)
        return opened

    return hold


def test_no_request_waits_while_a_new_release_or_an_old_one_requested_by_name_is_opened(
    deployment, corrected, tmp_path, hold_openings, monkeypatch
):
    own_deployment = deployment.copy(tmp_path / "home")
    token = own_deployment.token(own_deployment.project(tier="extended"))
    fields = {"Authorization": f"Bearer {token}"}
    with running_server(own_deployment, limit_open="1000000/minute", limit_extended="1000000/minute") as url:
        client = LoadClient(url, token)
        client.wait_for("2026-06.1")
        opened = hold_openings(client)
        own_deployment.copy_release_from(corrected)
        client.wait_for("2026-06.2")
        client.stop()
        assert len(opened) == 1
    monkeypatch.undo()
    with running_server(own_deployment, limit_open="1000000/minute", limit_extended="1000000/minute") as url:
        client = LoadClient(url, token)
        client.wait_for("2026-06.2")
        opened = hold_openings(client)
        by_name = httpx2.get(f"{url}{QUESTION}&release=2026-06.1", headers=fields, timeout=2 * PATIENCE)
        client.stop()
        assert (by_name.status_code, len(opened)) == (200, 1)
    own_deployment.close()


def test_every_process_starts_to_serve_a_correction_without_a_dropped_request(
    deployment, corrected, tmp_path
):
    """The correction is built elsewhere and copied at once, as on another host."""
    own_deployment = deployment.copy(tmp_path / "home")
    token = own_deployment.token(own_deployment.project(tier="extended"))
    settings = {"DAYLIGHT_LIMIT_EXTENDED": "1000000/minute", "DAYLIGHT_LIMIT_OPEN": "1000000/minute"}
    with server_processes(own_deployment, 2, **settings) as urls:
        clients = [LoadClient(url, token) for url in urls]
        for client in clients:
            client.wait_for("2026-06.1")
        own_deployment.copy_release_from(corrected)
        for client in clients:
            client.wait_for("2026-06.2")
            client.wait_for_answers(5)
            client.stop()
    for client in clients:
        assert {answer.status for answer in client.questions} | client.open_statuses == {200}
        releases = [answer.release for answer in client.questions]
        changed = releases.index("2026-06.2")
        assert set(releases[:changed]) == {"2026-06.1"}
        assert set(releases[changed:]) == {"2026-06.2"}
    own_deployment.close()
