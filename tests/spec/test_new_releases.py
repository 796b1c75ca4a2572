"""Several API processes under load take up a correction by themselves: every request is answered, first of the old release and then
of the new one, and nobody waits while it is opened."""

import threading
import time

import httpx2
import pytest

from datasets.release.answer.release import open_release
from datasets.release.store import store
from tests.live import served
from tests.spec.test_many_processes import processes

QUESTION = "/v1/datasets/moderation/aggregates?measure=actions,accounts&group_by=category&period=2026-06"
OPEN = ("/healthz", "/v1", "/readyz")


class Asker:
    """Somebody who asks one process without a pause: a question, and what is open to all."""

    def __init__(self, url, token):
        self.url, self.token = url, token
        self.questions, self.others = [], []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self):
        fields = {"Authorization": f"Bearer {self.token}"}
        with httpx2.Client(base_url=self.url, headers=fields, timeout=30) as client:
            while not self._over.is_set():
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
            assert time.monotonic() < until, f"{release} was not taken up"
            time.sleep(0.05)

    def end(self):
        self._over.set()
        self._thread.join()


def slow_ones(asked, since, until):
    """How many of those who asked in a while waited 0.3 seconds longer than the slowest two seconds before it."""
    usual = max(seconds for at, seconds, *_ in asked if since - 2 <= at < since)
    return sum(seconds > usual + 0.3 for at, seconds, *_ in asked if since <= at < until)


@pytest.fixture
def slow(monkeypatch):
    """To open a release takes a second and a half more than it does."""

    def open_slowly(*arguments):
        time.sleep(1.5)
        return open_release(*arguments)

    return lambda: monkeypatch.setattr(store, "open_release", open_slowly)


def test_nobody_waits_while_a_new_release_or_an_old_one_that_is_asked_by_name_is_opened(
    deployment, corrected, tmp_path, slow
):
    place = deployment.copy(tmp_path / "home")
    token = place.token(place.project(tier="extended"))
    fields = {"Authorization": f"Bearer {token}"}
    with served(place, limit_open="1000000/minute", limit_extended="1000000/minute") as url:
        slow()
        asker = Asker(url, token)
        asker.wait_for("2026-06.1", 60)
        place.take_over(corrected)
        asker.wait_for("2026-06.2", 60)
        asker.end()
        assert max(seconds for _, seconds, *_ in asker.questions + asker.others) < 1
    with served(place, limit_open="1000000/minute", limit_extended="1000000/minute") as url:
        time.sleep(0.3)
        asker = Asker(url, token)
        begun = time.monotonic()
        assert httpx2.get(f"{url}{QUESTION}&release=2026-06.1", headers=fields, timeout=20).status_code == 200
        assert time.monotonic() - begun > 1.5
        asker.end()
        assert max(seconds for _, seconds, *_ in asker.questions + asker.others) < 1
    place.close()


def test_a_correction_is_taken_up_by_every_process_without_a_dropped_or_a_slow_request(
    deployment, corrected, tmp_path
):
    """The correction is built elsewhere and put in place at once, as on a host of its own: what is measured is taking it up."""
    place = deployment.copy(tmp_path / "home")
    token = place.token(place.project(tier="extended"))
    settings = {"DAYLIGHT_LIMIT_EXTENDED": "1000000/minute", "DAYLIGHT_LIMIT_OPEN": "1000000/minute"}
    with processes(place, 2, **settings) as urls:
        askers = [Asker(url, token) for url in urls]
        for asker in askers:
            asker.wait_for("2026-06.1", 60)
        time.sleep(2)
        published = time.monotonic()
        place.take_over(corrected)
        for asker in askers:
            asker.wait_for("2026-06.2", 60)
        until = time.monotonic()
        time.sleep(0.5)
        for asker in askers:
            asker.end()
    for asker in askers:
        assert {status for _, _, status, _ in asker.questions + asker.others} == {200}
        releases = [release for *_, release in asker.questions]
        changed = releases.index("2026-06.2")
        assert set(releases[:changed]) == {"2026-06.1"}
        assert set(releases[changed:]) == {"2026-06.2"}
        everything = asker.questions + asker.others
        assert slow_ones(everything, published, until) <= len(everything) / 100
    place.close()
