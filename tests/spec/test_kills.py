"""A server that is killed while it issues and revokes tokens has done everything that it acknowledged, and the audit is whole."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from tests.deployment import EMAIL, Deployment

KILLS = 100


@pytest.fixture
def place(tmp_path):
    made = Deployment(tmp_path / "home")
    yield made
    made.close()


class Acts:
    """Somebody who makes tokens and closes them again and again, and notes what was acknowledged."""

    def __init__(self, url: str, shown: str) -> None:
        self._url, self._shown = url, shown
        self.issued: list[str] = []
        self.revoked: list[str] = []
        self._thread = threading.Thread(target=self._act)
        self._thread.start()

    def _act(self) -> None:
        with httpx2.Client(base_url=self._url, timeout=10) as client:
            try:
                while True:
                    client.headers["Authorization"] = f"Bearer {self._shown}"
                    self.once(client)
            except httpx2.TransportError:
                return

    def once(self, client: httpx2.Client) -> None:
        raise NotImplementedError

    def wait_for(self, acts: int) -> None:
        """Until so many tokens were made."""
        while len(self.issued) < acts and self._thread.is_alive():
            time.sleep(0.002)

    def join(self) -> None:
        self._thread.join(20)


class Holder(Acts):
    """A researcher, who replaces a token and closes the one that was replaced."""

    closed = "replaced"

    def once(self, client: httpx2.Client) -> None:
        made = client.post("/v1/me/tokens/rotate").json()
        self.issued.append(made["token_id"])
        held = client.get("/v1/me").json()["token"]
        assert client.post("/v1/tokens/revoke", json={"token": self._shown}).status_code == 204
        self.revoked.append(held)
        self._shown = made["token"]


class Admin(Acts):
    """An admin, who issues a token to a researcher and revokes it."""

    closed = "revoked"
    project = ""

    def once(self, client: httpx2.Client) -> None:
        wanted = {"project": self.project, "researcher": EMAIL, "reason": "vetted"}
        made = client.post("/v1/admin/tokens", json=wanted).json()["token_id"]
        self.issued.append(made)
        answer = client.post(f"/v1/admin/tokens/{made}/revoke", json={"reason": "as asked"})
        assert answer.json()["was_open"]
        self.revoked.append(made)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.005)
    pytest.fail("the server did not start")


def test_every_acknowledged_act_survives_a_hundred_kills(place):
    chance = random.Random(1)
    project = place.project(tier="extended")
    Admin.project, session = project, place.session()
    limits = dict.fromkeys(("DAYLIGHT_LIMIT_OPEN", "DAYLIGHT_LIMIT_ADMIN"), "1000000/minute")
    env = {**os.environ, "DAYLIGHT_HOME": str(place.home), **limits}
    root = Path(__file__).parents[2]
    everything: list[Acts] = []
    with subprocess.Popen(
        [sys.executable, "-m", "tests.zygote"], env=env, cwd=root, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as zygote:  # fmt: skip
        for number in range(KILLS):
            port = _free()
            print(port, file=zygote.stdin, flush=True)
            server = int(zygote.stdout.readline())
            shown = session if number % 2 else place.token(project)
            _wait(port)
            acts = (Admin if number % 2 else Holder)(f"http://127.0.0.1:{port}", shown)
            acts.wait_for(chance.randrange(3))  # then anywhere in the next act or two
            time.sleep(chance.uniform(0, 0.06))
            os.kill(server, signal.SIGKILL)
            acts.join()
            everything.append(acts)
        zygote.stdin.close()
    lines = {line.token_id: line for line in place.registry.tokens.list(datetime.now(UTC), project)}
    for acts in everything:
        assert set(acts.issued) <= lines.keys()
        assert {lines[token_id].state for token_id in acts.revoked} <= {acts.closed}
    done = {
        kind: sum(len(acts.issued) for acts in everything if isinstance(acts, kind))
        for kind in (Holder, Admin)
    }
    assert min(done.values()) > KILLS / 4, "most had done something when they were killed"
    assert place.registry.audit.verify().events > 2 * sum(len(acts.revoked) for acts in everything)
