"""A server that is killed while it issues and revokes tokens keeps every change that it acknowledged, and a complete audit log."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from tests.deployment import EMAIL, Deployment
from tests.live import reserved_port
from tests.waiting import PATIENCE, wait_until

KILLS = 100


@pytest.fixture
def own_deployment(tmp_path):
    made = Deployment(tmp_path / "home")
    yield made
    made.close()


class TokenClient:
    """A client that issues and revokes tokens in a loop and records what the server has acknowledged."""

    closed_state: str
    """The state of a token that this client has revoked or rotated."""

    def __init__(self, url: str, bearer: str) -> None:
        self._url, self._bearer = url, bearer
        self.issued: list[str] = []
        self.revoked: list[str] = []
        self._thread = threading.Thread(target=self._repeat)
        self._thread.start()

    def _repeat(self) -> None:
        with httpx2.Client(base_url=self._url, timeout=PATIENCE) as client:
            try:
                while True:
                    client.headers["Authorization"] = f"Bearer {self._bearer}"
                    self.issue_and_revoke(client)
            except httpx2.TransportError:
                return

    def issue_and_revoke(self, client: httpx2.Client) -> None:
        raise NotImplementedError

    def wait_for(self, tokens: int) -> None:
        """Wait until so many tokens have been issued."""
        while len(self.issued) < tokens and self._thread.is_alive():
            time.sleep(0.002)

    def join(self) -> None:
        self._thread.join(PATIENCE)


class Researcher(TokenClient):
    """Replaces a token without an overlap, which closes the old one."""

    closed_state = "replaced"

    def issue_and_revoke(self, client: httpx2.Client) -> None:
        held = client.get("/v1/me").json()["token"]
        made = client.post("/v1/me/tokens/rotate?overlap_hours=0").json()
        self.issued.append(made["token_id"])
        self.revoked.append(held)
        self._bearer = made["token"]


class Admin(TokenClient):
    """Issues a token to a researcher and revokes it."""

    closed_state = "revoked"
    project = ""

    def issue_and_revoke(self, client: httpx2.Client) -> None:
        body = {"project": self.project, "researcher": EMAIL, "reason": "vetted"}
        token_id = client.post("/v1/admin/tokens", json=body).json()["token_id"]
        self.issued.append(token_id)
        answer = client.post(f"/v1/admin/tokens/{token_id}/revoke", json={"reason": "as asked"})
        assert answer.json()["was_open"]
        self.revoked.append(token_id)


def _wait_for_server(port: int) -> None:
    def is_open() -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) == 0

    wait_until(is_open, "the server")


def test_every_acknowledged_change_survives_a_hundred_kills(own_deployment):
    rng = random.Random(1)
    project = own_deployment.project(tier="extended")
    Admin.project, session = project, own_deployment.session()
    limits = dict.fromkeys(("DAYLIGHT_LIMIT_OPEN", "DAYLIGHT_LIMIT_ADMIN"), "1000000/minute")
    env = {**os.environ, "DAYLIGHT_HOME": str(own_deployment.home), **limits}
    root = Path(__file__).parents[2]
    clients: list[TokenClient] = []
    with ExitStack() as stack, subprocess.Popen(
        [sys.executable, "-m", "tests.fork_server"], env=env, cwd=root, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as fork_server:  # fmt: skip
        assert fork_server.stdin is not None and fork_server.stdout is not None
        for number in range(KILLS):
            port = stack.enter_context(reserved_port())
            print(port, file=fork_server.stdin, flush=True)
            server = int(fork_server.stdout.readline())
            bearer = session if number % 2 else own_deployment.token(project)
            _wait_for_server(port)
            client: TokenClient = (Admin if number % 2 else Researcher)(f"http://127.0.0.1:{port}", bearer)
            client.wait_for(rng.randrange(3))  # the kill comes at any moment of the next one or two rounds
            time.sleep(rng.uniform(0, 0.06))
            os.kill(server, signal.SIGKILL)
            client.join()
            clients.append(client)
        fork_server.stdin.close()
    lines = {line.token_id: line for line in own_deployment.registry.tokens.list(datetime.now(UTC), project)}
    for client in clients:
        assert set(client.issued) <= lines.keys()
        assert {lines[token_id].state for token_id in client.revoked} <= {client.closed_state}
    issued = {
        kind: sum(len(client.issued) for client in clients if isinstance(client, kind))
        for kind in (Researcher, Admin)
    }
    assert min(issued.values()) > KILLS / 4, "most servers had issued tokens when they were killed"
    # a rotation is one event, issuing and revoking are two
    revoked = sum(len(client.revoked) for client in clients if isinstance(client, Admin))
    assert own_deployment.registry.audit.verify().events >= sum(issued.values()) + revoked
