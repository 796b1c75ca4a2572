"""Authentication: a token is accepted within its scopes until it is revoked, and every other token is refused."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from api.server.background import flush_periodically
from auth.registry import open_registry
from tests.api.conftest import AGGREGATES, ensure_problem
from tests.deployment import mandate
from tests.waiting import become_true

QUESTION = f"{AGGREGATES}?measure=actions"


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def test_a_question_without_a_token_is_refused_and_the_answer_says_how_to_send_one(anonymous):
    answer = anonymous.get(QUESTION)
    body = ensure_problem(answer, 401, "token-missing")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer" in body["detail"]


@pytest.mark.parametrize("field", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token abc", "bearer"])
def test_a_field_that_holds_no_bearer_token_is_refused_as_a_missing_token(anonymous, field):
    ensure_problem(anonymous.get(QUESTION, headers={"Authorization": field}), 401, "token-missing")


def test_every_bad_token_gets_the_same_answer_whatever_is_wrong_with_it(deployment, anonymous):
    good = deployment.token()
    old = deployment.token(at=datetime.now(UTC) - timedelta(days=10), days=5)
    head, body, signature = good.split(".")
    bad = [
        old,
        f"{head}.{body}.{signature[:-2]}AA",
        f"{head}.{body}.",
        "not.a.token",
        "x" * 5000,
        f"{good}x",
        "é",
    ]
    answers = [anonymous.get(QUESTION, headers={"Authorization": f"Bearer {text}".encode()}) for text in bad]
    for answer in answers:
        ensure_problem(answer, 401, "token-refused")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert anonymous.get(QUESTION, headers=bearer(good)).status_code == 200


def test_a_revoked_token_is_refused_at_the_next_request(deployment, anonymous):
    text = deployment.token()
    assert anonymous.get(QUESTION, headers=bearer(text)).status_code == 200
    deployment.registry.tokens.revoke(text, mandate())
    ensure_problem(anonymous.get(QUESTION, headers=bearer(text)), 401, "token-refused")


def test_a_token_reads_only_what_its_scopes_name(deployment, anonymous):
    text = deployment.token(scopes=frozenset({"ads:read"}))
    answer = anonymous.get(QUESTION, headers=bearer(text))
    body = ensure_problem(answer, 403, "out-of-scope")
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'
    assert "moderation:read" in body["detail"]


def test_a_missing_token_is_refused_before_an_unknown_dataset(anonymous):
    ensure_problem(anonymous.get("/v1/datasets/nothing/aggregates"), 401)


def test_no_question_is_answered_while_the_registry_is_unavailable(deployment, tmp_path):
    other = deployment.copy(tmp_path / "other")
    text = other.token()
    with other.client(text) as client:
        assert client.get(QUESTION).status_code == 200
        (tmp_path / "other" / "registry.sqlite").unlink()
        answer = client.get(QUESTION)
        ensure_problem(answer, 503)
        assert answer.headers["retry-after"] == "5"
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1").status_code == 200
    other.close()


def test_no_token_and_no_query_value_is_logged(deployment, anonymous, caplog):
    text = deployment.token()
    with caplog.at_level(logging.DEBUG):
        anonymous.get(f"{QUESTION}&category=VIOLENCE", headers=bearer(text))
        anonymous.get(f"{QUESTION}&category=planted-value", headers=bearer(text))
        anonymous.get(QUESTION, headers=bearer(text[:-3] + "AAA"))
    logged = " ".join(str(vars(record)) for record in caplog.records if record.name.startswith("daylight"))
    assert "/v1/datasets/{dataset}/aggregates" in logged
    for secret in (text, text.split(".")[2], "VIOLENCE", "planted-value"):
        assert secret not in logged


def test_the_last_use_of_a_token_is_written_when_the_api_stops(deployment):
    project = deployment.project()
    text = deployment.token(project)
    with deployment.client(text) as client:
        assert client.get(QUESTION).status_code == 200
    (line,) = deployment.registry.tokens.list(datetime.now(UTC), project)
    assert line.last_used is not None


def test_last_uses_are_written_while_the_api_runs(deployment):
    asyncio.run(_ensure_last_uses_are_written(deployment))


async def _ensure_last_uses_are_written(deployment):
    project = deployment.project()
    registry = open_registry(deployment.registry_settings)
    registry.authenticator.principal(deployment.token(project), datetime.now(UTC))
    async with flush_periodically(registry, last_uses=0.01):
        await become_true(lambda: deployment.registry.tokens.list(datetime.now(UTC), project)[0].last_used)
    registry.close()
