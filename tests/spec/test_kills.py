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

from tests.deployment import Deployment

KILLS = 100


@pytest.fixture
def place(tmp_path):
    made = Deployment(tmp_path / "home")
    yield made
    made.close()


class Acts:
    """Somebody who replaces a token again and again, closes those replaced, and notes what was acknowledged."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self.issued: list[str] = []
        self.revoked: list[str] = []
        self._thread = threading.Thread(target=self._act)
        self._thread.start()

    def _act(self) -> None:
        with httpx2.Client(base_url=self._url, timeout=10) as client:
            try:
                while True:
                    fields = {"Authorization": f"Bearer {self._token}"}
                    made = client.post("/v1/me/tokens/rotate", headers=fields).json()
                    self.issued.append(made["token_id"])
                    held = client.get("/v1/me", headers=fields).json()["token"]
                    assert client.post("/v1/tokens/revoke", json={"token": self._token}).status_code == 204
                    self.revoked.append(held)
                    self._token = made["token"]
            except httpx2.TransportError:
                return

    def wait_for(self, acts: int) -> None:
        """Until so many tokens were replaced."""
        while len(self.issued) < acts and self._thread.is_alive():
            time.sleep(0.002)

    def join(self) -> None:
        self._thread.join(20)


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
    env = {**os.environ, "DAYLIGHT_HOME": str(place.home), "DAYLIGHT_LIMIT_OPEN": "1000000/minute"}
    root = Path(__file__).parents[2]
    issued, revoked = [], []
    with subprocess.Popen(
        [sys.executable, "-m", "tests.zygote"], env=env, cwd=root, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as zygote:  # fmt: skip
        for _ in range(KILLS):
            token, port = place.token(project), _free()
            print(port, file=zygote.stdin, flush=True)
            server = int(zygote.stdout.readline())
            _wait(port)
            acts = Acts(f"http://127.0.0.1:{port}", token)
            acts.wait_for(chance.randrange(3))  # then anywhere in the next act or two
            time.sleep(chance.uniform(0, 0.06))
            os.kill(server, signal.SIGKILL)
            acts.join()
            issued += acts.issued
            revoked += acts.revoked
        zygote.stdin.close()
    assert len(issued) > KILLS / 2, "most had done something when they were killed"
    lines = {line.token_id: line for line in place.registry.list_tokens(datetime.now(UTC), project)}
    assert set(issued) <= lines.keys()
    assert {lines[token_id].state for token_id in revoked} == {"replaced"}, "closed, and another in its place"
    assert place.registry.verify_audit().events > len(issued) + len(revoked)
