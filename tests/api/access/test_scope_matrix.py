"""Every route against every kind of client, as a table: the token's status and scopes alone decide the answer."""

from datetime import UTC, datetime, timedelta

import pytest

from api.errors import STATUS
from auth import scopes
from datasets.catalogue import DATASETS
from tests.api.access.test_rate_limits import FILLED, addresses
from tests.api.routes.conftest import anyone as anyone
from tests.api.routes.conftest import bearer
from tests.deployment import mandate

SCOPES = ("ads:read", "moderation:read", "recommendations:read", "reports:read")
CLOSED = ("no token", "garbage", "expired", "revoked", "suspended project", "ended project", "member no more")
NOUNS = ("reports", "ads", "moderation", "recommendations")


@pytest.fixture(scope="module")
def tokens(deployment):
    """A token of each kind."""
    registry = deployment.registry
    found = {scope: deployment.token(deployment.project(frozenset({scope}))) for scope in SCOPES}
    found |= {"no token": None, "garbage": "abc.def.ghi"}
    long_ago = datetime.now(UTC) - timedelta(days=30)
    found["expired"] = deployment.token(deployment.project(at=long_ago), at=long_ago, days=10)
    found["revoked"] = deployment.token()
    registry.tokens.revoke(found["revoked"], mandate())
    for kind, status in (("suspended project", "suspended"), ("ended project", "ended")):
        project = deployment.project()
        found[kind] = deployment.token(project)
        registry.projects.set_status(project, status, mandate())
    project = deployment.project()
    found["member no more"] = deployment.token(project)
    registry.projects.end_membership(project, "researcher@example.org", mandate())
    return found


def fields(text):
    return bearer(text) if text else {}


def test_the_table_has_the_scopes_that_exist_one_for_each_dataset():
    assert (
        set(SCOPES)
        == set(scopes.SCOPES)
        == {f"{dataset.name}:read" for dataset in DATASETS} | {"reports:read"}
    )


def expected(path, kind):
    """The status for this kind of client here, or "open": the whole rule in five lines."""
    needs = next((name for name in NOUNS if f"/{name}/" in f"{path}/"), "") if needs_scope(path) else ""
    if path.startswith("/v1/admin"):
        return 401  # no researcher's token is a session
    if not (needs or path.startswith("/v1/me")):
        return "open"
    if kind in CLOSED:
        return 401
    return "open" if not needs or kind == f"{needs}:read" else 403


def needs_scope(path):
    return path.endswith(("/aggregates", "/plan")) or "/files/" in path or path.startswith("/v1/reports")


@pytest.mark.parametrize("kind", [*SCOPES, *CLOSED])
def test_every_route_answers_this_kind_of_client_as_the_table_says(anyone, tokens, kind):
    shown = fields(tokens[kind])
    for path in addresses(anyone):
        status = anyone.get(path, headers=shown).status_code
        if expected(path, kind) == "open":
            assert status not in {401, 403}, path
            assert status == 200 or status in {*STATUS.values(), 404, 422}, path
            assert status < 500, path
        else:
            assert status == expected(path, kind), path
    asked = "/v1/datasets/moderation/aggregates"
    status = anyone.post(asked, json={"measure": "actions"}, headers=shown).status_code
    assert status == (200 if expected(asked, kind) == "open" else expected(asked, kind))


@pytest.mark.parametrize("kind", [*SCOPES, *CLOSED])
def test_no_token_of_a_researcher_is_accepted_by_routes_of_admins(deployment, anyone, tokens, kind):
    filled = {"name": "REQ-1", "kid": "0" * 16, "purpose": "token", "notice": "ntc_a", **FILLED}
    before = deployment.registry.audit.verify().events
    described = anyone.get("/openapi.json").json()["paths"]
    acts = [(m, p) for p, found in described.items() if p.startswith("/v1/admin") for m in found]
    assert len([method for method, _ in acts if method != "get"]) >= 15
    for method, path in acts:
        answer = anyone.request(
            method, path.format(**filled), json={"reason": "because I can"}, headers=fields(tokens[kind])
        )
        assert answer.status_code == 401, (method, path)
    assert deployment.registry.audit.verify().events == before


@pytest.mark.parametrize("kind", CLOSED)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/me/tokens/rotate"), ("DELETE", "/v1/me/tokens/current")]
)
def test_a_token_is_rotated_or_closed_only_with_a_valid_token(anyone, tokens, kind, method, path):
    assert anyone.request(method, path, headers=fields(tokens[kind])).status_code == 401


def test_a_cursor_given_to_one_project_is_accepted_from_another_with_the_scope(deployment, tokens):
    """Answers are the same for every project, so a cursor holds nothing about the project that got it."""
    question = "/v1/datasets/moderation/aggregates?measure=actions&group_by=category&limit=3"
    one, other = (
        tokens["moderation:read"],
        deployment.token(deployment.project(frozenset({"moderation:read"}))),
    )
    with deployment.client(one) as client:
        first = client.get(question)
        cursor = first.json()["page"]["next"]
        fields = {"Authorization": f"Bearer {other}"}
        assert client.get(question, headers=fields).content == first.content
        assert client.get(f"{question}&cursor={cursor}", headers=fields).status_code == 200
    with deployment.client(tokens["ads:read"]) as client:
        assert client.get(f"{question}&cursor={cursor}").status_code == 403


RIGHTS = {"tokens": ("issuer", "owner"), "access": ("registrar", "owner"), "administration": ("owner",)}
OWNER_PATHS = ("/admins", "/sessions", "/keys", "/releases")


def required_right(method, path):
    """The right that a request of an admin needs: the second rule, in five lines."""
    if method == "get" or path.endswith("/session/close"):
        return None
    if "/tokens" in path:
        return "tokens"
    return (
        "administration" if path.startswith(tuple(f"/v1/admin{part}" for part in OWNER_PATHS)) else "access"
    )


@pytest.mark.parametrize("role", ["auditor", "issuer", "registrar", "owner"])
def test_a_request_of_an_admin_is_accepted_or_refused_according_to_the_role(deployment, role):
    """Requests have no reason, so that those the role allows are refused for that alone and change nothing."""
    deployment.project()  # the first is REQ-1
    filled = {"dataset": "moderation", "release": "latest", "name": "REQ-1", "notice": "ntc_a",
              "token": "tok_a", "purpose": "token", "kid": "0" * 16, "session": "tok_b"}  # fmt: skip
    with deployment.client(deployment.session(role), limit_admin="100000/minute") as client:
        described = client.get("/openapi.json").json()["paths"]
        acts = [(m, p) for p, found in described.items() if p.startswith("/v1/admin") for m in found]
        assert len(acts) >= 30
        for method, path in acts:
            status = client.request(method, path.format(**filled), json={}).status_code
            right = required_right(method, path)
            if right is not None and role not in RIGHTS[right]:
                assert status == 403, (method, path)
            elif right is not None or path.endswith("/session/close"):
                assert status == 400, (method, path)
            else:
                assert status == (404 if "{token}" in path else 200), (method, path)


def test_a_session_of_an_admin_is_refused_by_routes_of_researchers(deployment):
    with deployment.client(deployment.session(), limit_attempts="1000/minute") as client:
        for path in addresses(client):
            if needs_scope(path) or path.startswith("/v1/me"):
                assert client.get(path).status_code == 401, path
