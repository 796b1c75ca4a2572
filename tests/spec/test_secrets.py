"""A secret that a client sends in the wrong place by mistake is not repeated in an answer, a log line or a metric."""

import base64
import secrets
from itertools import count
from typing import Any

import httpx2
import pytest

from tests.live import server_processes
from tests.waiting import PATIENCE

QUESTION = "/v1/datasets/moderation/aggregates"
FIELDS = (
    "Cookie",
    "X-Api-Key",
    "Proxy-Authorization",
    "X-Forwarded-For",
    "X-Request-Id",
    "User-Agent",
    "Referer",
    "If-None-Match",
    "Idempotency-Key",
)


class Canaries:
    """Unique words, and the answers to requests that contained them."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client, self._number = client, count(1)
        self.words: list[str] = []
        self.answers: list[str] = []

    def new(self) -> str:
        self.words.append(f"canary{next(self._number)}x{secrets.token_hex(8)}")
        return self.words[-1]

    def send(self, method: str, path: str, **options: Any) -> None:
        answer = self._client.request(method, path, **options)
        self.answers.append(f"{answer.status_code} {answer.headers} {answer.text}")


def send_secrets(canaries: Canaries, good: dict[str, str], token: str) -> None:
    """Send secrets in all places where clients put them by mistake."""
    new, send = canaries.new, canaries.send
    for field in FIELDS:
        send("GET", f"{QUESTION}?measure=actions", headers={**good, field: new()})
    send("GET", QUESTION, headers={"Authorization": f"Bearer {new()}"})
    send("GET", QUESTION, headers={"Authorization": f"Bearer {token[:-20]}{new()}"})
    basic = base64.b64encode(f"admin:{new()}".encode()).decode()
    canaries.words.append(basic)
    send("GET", QUESTION, headers={"Authorization": f"Basic {basic}"})
    for name in ("token", "access_token", "password"):
        send("GET", f"{QUESTION}?measure=actions&{name}={new()}", headers=good)
        send("GET", f"/v1/datasets?{name}={new()}")
    send("GET", f"/v1/{new()}")
    send("POST", QUESTION, headers=good, data={"measure": "actions", "password": new()})
    send("POST", QUESTION, headers=good, json={"measure": "actions", "password": new()})
    send("POST", QUESTION, headers=good, json={"measure": {"actions": new()}})
    send("POST", "/v1/tokens/revoke", data={"token": new()})
    send("POST", "/v1/tokens/revoke", json={"token": new(), "password": new()})
    send("POST", "/v1/me/tokens/rotate", headers=good, params={"secret": new()})


@pytest.fixture(scope="module")
def own_deployment(deployment, tmp_path_factory):
    copy = deployment.copy(tmp_path_factory.mktemp("secrets") / "home")
    yield copy
    copy.close()


def test_twenty_secrets_in_wrong_places_appear_in_no_answer_log_or_metric(own_deployment, tmp_path):
    token, log = own_deployment.token(), tmp_path / "serve.log"
    good = {"Authorization": f"Bearer {token}"}
    settings = {  # secrets of the server; the address of Redis is wrong, so that the server logs an error about it
        "DAYLIGHT_REDIS_URL": "redis://:canary0redis@127.0.0.1:9/0",
        "DAYLIGHT_CURSOR_KEY": "canary0cursor" * 4,
    }
    with (
        server_processes(own_deployment, 1, log, **settings) as (url,),
        httpx2.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        canaries = Canaries(client)
        send_secrets(canaries, good, token)
        metrics = client.get("/metrics").text
        wrong = client.get(QUESTION, headers=good, params={"measure": token}).text
    assert len(canaries.words) >= 20
    assert 'daylight_requests_total{method="GET",route="/v1/datasets/{dataset}/aggregates"' in metrics
    log_text = log.read_text()
    assert '"status":200' in log_text
    for word in (*canaries.words, "canary0", token, token.split(".")[2]):
        assert word not in metrics
        assert word not in log_text
        assert word not in wrong
        assert not [answer for answer in canaries.answers if word in answer]
