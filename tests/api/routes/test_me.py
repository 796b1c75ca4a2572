"""/v1/me: what the holder of a token can do with it."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.vetting.lifecycle import ProjectChange
from tests.api.conftest import ensure_problem
from tests.api.routes.conftest import QUESTION, bearer
from tests.deployment import mandate


def test_me_shows_the_scopes_the_tier_and_the_expiry_of_the_token(deployment, anyone):
    project = deployment.project(frozenset({"moderation:read", "ads:read"}))
    text = deployment.token(project, frozenset({"moderation:read"}), days=5)
    answer = anyone.get("/v1/me", headers=bearer(text))
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["scopes"] == ["moderation:read"]
    assert body["tier"] == "standard"
    assert 4 < (datetime.fromisoformat(body["expires"]) - datetime.now(UTC)) / timedelta(days=1) <= 5
    assert body["warnings"] == ["This access ends in 4 days."]
    ensure_problem(anyone.get("/v1/me"), 401, "token-missing")


def test_a_replaced_token_stays_valid_for_the_overlap(deployment, anyone):
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
def test_an_invalid_overlap_is_refused_and_the_token_is_not_replaced(deployment, anyone, hours):
    text = deployment.token()
    answer = anyone.post("/v1/me/tokens/rotate", params={"overlap_hours": hours}, headers=bearer(text))
    ensure_problem(answer, 422, "malformed-value")
    assert anyone.get("/v1/me", headers=bearer(text)).status_code == 200


def test_a_closed_token_is_refused(deployment, anyone):
    text = deployment.token()
    assert anyone.delete("/v1/me/tokens/current", headers=bearer(text)).status_code == 204
    ensure_problem(anyone.get("/v1/me", headers=bearer(text)), 401, "token-refused")


def test_a_suspension_and_an_end_apply_to_the_next_request(deployment, anyone):
    project = deployment.project()
    text, projects = deployment.token(project), deployment.registry.projects
    assert anyone.get(QUESTION, headers=bearer(text)).status_code == 200
    for status, wanted in (("suspended", 401), ("active", 200), ("ended", 401)):
        projects.set_status(project, status, mandate())
        assert anyone.get(QUESTION, headers=bearer(text)).status_code == wanted, status


def test_a_changed_scope_applies_to_the_next_request(deployment, anyone):
    project = deployment.project(frozenset({"moderation:read", "ads:read"}))
    text = deployment.token(project)
    deployment.registry.projects.change(project, ProjectChange(frozenset({"ads:read"})), mandate())
    ensure_problem(anyone.get(QUESTION, headers=bearer(text)), 403, "out-of-scope")
