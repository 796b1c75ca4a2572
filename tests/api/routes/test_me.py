"""What a researcher's own token can do for them, and what anybody can do about one that was found."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.vetting.lifecycle import ProjectChange
from tests.api.conftest import AGGREGATES, ensure_problem
from tests.deployment import mandate

QUESTION = f"{AGGREGATES}?measure=actions"


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture(scope="module")
def anyone(deployment):
    with deployment.client(limit_open="100000/minute", limit_standard="100000/minute") as client:
        yield client


def test_a_token_says_whose_it_is_what_it_may_and_until_when(deployment, anyone):
    project = deployment.project(frozenset({"moderation:read", "ads:read"}))
    text = deployment.token(project, frozenset({"moderation:read"}), days=5)
    said = anyone.get("/v1/me", headers=bearer(text))
    assert said.headers["cache-control"] == "no-store"
    body = said.json()
    assert body["scopes"] == ["moderation:read"]
    assert body["tier"] == "standard"
    assert 4 < (datetime.fromisoformat(body["expires"]) - datetime.now(UTC)) / timedelta(days=1) <= 5
    assert body["warnings"] == ["This access ends in 4 days."]
    ensure_problem(anyone.get("/v1/me"), 401, "token-missing")


def test_a_token_replaces_itself_and_goes_on_for_the_overlap(deployment, anyone):
    old = deployment.token()
    answer = anyone.post("/v1/me/tokens/rotate?overlap_hours=1", headers=bearer(old))
    assert answer.status_code == 201
    new = answer.json()["token"]
    for text in (old, new):
        assert anyone.get(QUESTION, headers=bearer(text)).status_code == 200
    assert anyone.get("/v1/me", headers=bearer(old)).json()["warnings"] == ["This access ends in 0 days."]
    ensure_problem(anyone.post("/v1/me/tokens/rotate", headers=bearer(old)), 409, "not-allowed")
    at_once = anyone.post("/v1/me/tokens/rotate?overlap_hours=0", headers=bearer(new)).json()["token"]
    ensure_problem(anyone.get(QUESTION, headers=bearer(new)), 401, "token-refused")
    assert anyone.get(QUESTION, headers=bearer(at_once)).status_code == 200


@pytest.mark.parametrize("hours", ["-1", "169", "many", "1.5", "", "٣"])
def test_an_overlap_that_cannot_be_is_refused_and_nothing_is_replaced(deployment, anyone, hours):
    text = deployment.token()
    answer = anyone.post("/v1/me/tokens/rotate", params={"overlap_hours": hours}, headers=bearer(text))
    ensure_problem(answer, 422, "malformed-value")
    assert anyone.get("/v1/me", headers=bearer(text)).status_code == 200


def test_a_token_closes_itself(deployment, anyone):
    text = deployment.token()
    assert anyone.delete("/v1/me/tokens/current", headers=bearer(text)).status_code == 204
    ensure_problem(anyone.get("/v1/me", headers=bearer(text)), 401, "token-refused")


def test_whoever_finds_a_token_can_close_it_and_learns_nothing(deployment, anyone):
    text = deployment.token()
    answers = [
        anyone.post("/v1/tokens/revoke", json={"token": each})
        for each in (text, text, "nothing", text[:-2] + "AA")
    ]
    assert [answer.status_code for answer in answers] == [204] * 4
    assert {answer.content for answer in answers} == {b""}
    ensure_problem(anyone.get(QUESTION, headers=bearer(text)), 401)


def test_whoever_finds_the_token_of_a_session_closes_it_with_the_same_answer_and_once(deployment, anyone):
    session = deployment.session()
    held = deployment.registry.sessions.principal(session, datetime.now(UTC)).session
    assert anyone.get("/v1/admin/session", headers=bearer(session)).status_code == 200
    answers = [anyone.post("/v1/tokens/revoke", json={"token": session}) for _ in range(2)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(204, b"")}
    ensure_problem(anyone.get("/v1/admin/session", headers=bearer(session)), 401, "token-refused")
    acts = [line for line in deployment.registry.audit.export() if line.get("subject") == held]
    assert [act["act"] for act in acts] == ["session.opened", "session.closed"]
    assert acts[1]["actor"] == f"holder:{held}"


def test_a_session_whose_end_has_passed_is_closed_too_and_a_forged_one_is_not(deployment, anyone):
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
def test_a_report_without_a_token_is_refused(anyone, body):
    ensure_problem(anyone.post("/v1/tokens/revoke", content=body), 400, "malformed")


def test_suspension_and_end_hold_from_the_next_request(deployment, anyone):
    project = deployment.project()
    text, projects = deployment.token(project), deployment.registry.projects
    assert anyone.get(QUESTION, headers=bearer(text)).status_code == 200
    for status, wanted in (("suspended", 401), ("active", 200), ("ended", 401)):
        projects.set_status(project, status, mandate())
        assert anyone.get(QUESTION, headers=bearer(text)).status_code == wanted, status


def test_a_changed_scope_holds_from_the_next_request(deployment, anyone):
    project = deployment.project(frozenset({"moderation:read", "ads:read"}))
    text = deployment.token(project)
    deployment.registry.projects.change(project, ProjectChange(frozenset({"ads:read"})), mandate())
    ensure_problem(anyone.get(QUESTION, headers=bearer(text)), 403, "out-of-scope")


def test_the_public_sees_what_was_granted_and_no_person(deployment, anyone):
    deployment.token()
    listed = anyone.get("/v1/projects").json()["projects"]
    assert {
        "reference",
        "dsc",
        "purpose",
        "datasets",
        "modality",
        "first_day",
        "end",
        "status",
        "versions",
    } == set(listed[0])
    assert "researcher@example.org" not in anyone.get("/v1/projects").text
