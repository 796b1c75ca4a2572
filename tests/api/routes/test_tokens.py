"""/v1/tokens/revoke: anybody who finds a token can close it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.conftest import ensure_problem
from tests.api.routes.conftest import QUESTION, bearer
from tests.deployment import mandate


def test_a_found_token_is_closed_with_the_same_answer_as_any_other_text(deployment, anyone):
    text = deployment.token()
    answers = [
        anyone.post("/v1/tokens/revoke", json={"token": each})
        for each in (text, text, "nothing", text[:-2] + "AA")
    ]
    assert [answer.status_code for answer in answers] == [204] * 4
    assert {answer.content for answer in answers} == {b""}
    ensure_problem(anyone.get(QUESTION, headers=bearer(text)), 401)


def test_the_found_token_of_a_session_is_closed_once_and_with_the_same_answer(deployment, anyone):
    session = deployment.session()
    held = deployment.registry.sessions.principal(session, datetime.now(UTC)).session
    assert anyone.get("/v1/admin/session", headers=bearer(session)).status_code == 200
    answers = [anyone.post("/v1/tokens/revoke", json={"token": session}) for _ in range(2)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(204, b"")}
    ensure_problem(anyone.get("/v1/admin/session", headers=bearer(session)), 401, "token-refused")
    acts = [line for line in deployment.registry.audit.export() if line.get("subject") == held]
    assert [act["act"] for act in acts] == ["session.opened", "session.closed"]
    assert (acts[1]["actor"], acts[1]["reason"]) == (f"holder:{held}", "whoever holds it closes it")


def test_an_expired_session_is_closed_too_and_a_forged_one_is_not(deployment, anyone):
    over = deployment.session(at=datetime.now(UTC) - timedelta(hours=1))
    other = deployment.session()
    for text in (over, other[:-2] + "AA"):
        assert anyone.post("/v1/tokens/revoke", json={"token": text}).status_code == 204
    closed = [
        line["actor"] for line in deployment.registry.audit.export() if line.get("act") == "session.closed"
    ]
    assert closed[-1] == f"holder:{deployment.registry.sessions.identify(over)}"
    assert anyone.get("/v1/admin/session", headers=bearer(other)).status_code == 200


def close_by_found_text(client, deployment, old):
    assert client.post("/v1/tokens/revoke", json={"token": old}).status_code == 204


def close_by_holder(client, deployment, old):
    assert client.delete("/v1/me/tokens/current", headers=bearer(old)).status_code == 204


def close_by_admin(client, deployment, old):
    name = deployment.registry.tokens.identify(old, datetime.now(UTC)).token_id
    answer = client.post(
        f"/v1/admin/tokens/{name}/revoke",
        json={"reason": "it leaked"},
        headers=bearer(deployment.session("issuer")),
    ).json()
    assert (answer["token_id"], answer["was_open"], len(answer["closed"])) == (name, True, 3)
    assert answer["closed"][0] == name


def close_on_the_host(client, deployment, old):
    assert len(deployment.registry.tokens.revoke(old, mandate()).closed) == 3


@pytest.mark.parametrize("close", [close_by_found_text, close_by_holder, close_by_admin, close_on_the_host])
def test_closing_a_token_closes_what_a_thief_rotated_from_it_with_the_next_request(deployment, anyone, close):
    stolen = deployment.token()
    texts = [stolen]
    for _ in range(2):
        rotated = anyone.post("/v1/me/tokens/rotate?overlap_hours=24", headers=bearer(texts[-1]))
        texts.append(rotated.json()["token"])
    for text in texts:
        assert anyone.get(QUESTION, headers=bearer(text)).status_code == 200
    close(anyone, deployment, stolen)
    for text in texts:
        ensure_problem(anyone.get(QUESTION, headers=bearer(text)), 401, "token-refused")


def test_a_text_that_is_no_longer_valid_closes_its_successors(deployment, anyone):
    old = deployment.token()
    new = anyone.post("/v1/me/tokens/rotate?overlap_hours=0", headers=bearer(old)).json()["token"]
    ensure_problem(anyone.get(QUESTION, headers=bearer(old)), 401, "token-refused")
    assert anyone.get(QUESTION, headers=bearer(new)).status_code == 200
    assert anyone.post("/v1/tokens/revoke", json={"token": old}).status_code == 204
    ensure_problem(anyone.get(QUESTION, headers=bearer(new)), 401, "token-refused")
    events = [line for line in deployment.registry.audit.export() if line.get("act") == "token.revoked"]
    name, successor = (
        deployment.registry.tokens.identify(text, datetime.now(UTC)).token_id for text in (old, new)
    )
    assert (events[-1]["subject"], events[-1]["actor"]) == (successor, f"holder:{name}")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"token": 1}', b"\xff", b'{"token": "' + b"a" * 9000 + b'"}']
)
def test_a_revocation_without_a_token_is_refused(anyone, body):
    ensure_problem(anyone.post("/v1/tokens/revoke", content=body), 400, "malformed")
