"""Several API processes under load take up a correction by themselves: every request is answered, first of the old release and then
of the new one, and nobody waits while it is opened."""

import shutil
import threading
import time

import httpx2

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

    def end(self):
        self._over.set()
        self._thread.join()


def slowest(asked, since, until):
    return max((seconds for at, seconds, *_ in asked if since <= at < until), default=0.0)


def test_a_correction_is_taken_up_by_every_process_without_a_dropped_or_a_slow_request(
    deployment, tmp_path_factory
):
    """The correction is built elsewhere and put in place at once, as on a host of its own: what is measured is taking it up."""
    home = tmp_path_factory.mktemp("new")
    place, built = deployment.copy(home / "served"), deployment.copy(home / "built")
    token = place.token(place.project(tier="extended"))
    built.release("moderation", "2026-06", correction="Counted again.", rows=2_000)
    settings = {"DAYLIGHT_LIMIT_EXTENDED": "1000000/minute", "DAYLIGHT_LIMIT_OPEN": "1000000/minute"}
    with processes(place, 2, **settings) as urls:
        askers = [Asker(url, token) for url in urls]
        time.sleep(2.5)
        published = time.monotonic()
        take_over(built.releases, place.releases)
        until = time.monotonic() + 20
        while time.monotonic() < until and not all(a.questions[-1][3] == "2026-06.2" for a in askers):
            time.sleep(0.1)
        time.sleep(0.5)
        for asker in askers:
            asker.end()
    for asker in askers:
        assert {status for _, _, status, _ in asker.questions + asker.others} == {200}
        releases = [release for *_, release in asker.questions]
        changed = releases.index("2026-06.2")
        assert set(releases[:changed]) == {"2026-06.1"}
        assert set(releases[changed:]) == {"2026-06.2"}
        for asked in (asker.questions, asker.others):
            usual = slowest(asked, published - 2, published)
            assert slowest(asked, published, until + 60) < usual + 0.3
    place.close()
    built.close()


def take_over(source, target):
    """Copy what was published as `rsync` would: files first, what names them last."""
    folder = "moderation/2026-06.2"
    shutil.copytree(source / folder, target / ".coming")
    (target / ".coming").rename(target / folder)
    for name in ("ledger", "moderation/2026-06.current"):
        shutil.copy(source / name, target / ".coming")
        (target / ".coming").rename(target / name)
