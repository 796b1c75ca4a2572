"""/v1/tokens/revoke: anybody who finds a token can close it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.conftest import ensure_problem
from tests.api.routes.conftest import QUESTION, bearer


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


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"token": 1}', b"\xff", b'{"token": "' + b"a" * 9000 + b'"}']
)
def test_a_revocation_without_a_token_is_refused(anyone, body):
    ensure_problem(anyone.post("/v1/tokens/revoke", content=body), 400, "malformed")
