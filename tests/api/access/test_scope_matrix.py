"""Every route against every kind of asker, as a table: what is answered is decided by the token's standing and scopes alone."""

from datetime import UTC, datetime, timedelta

import pytest

from api.errors import STATUS
from tests.api.access.test_rate_limits import FILLED, addresses
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


def wanted(path, kind):
    """What this asker is answered here: the whole rule in five lines."""
    needs = next((name for name in NOUNS if f"/{name}/" in f"{path}/"), "") if is_asked(path) else ""
    if path.startswith("/v1/admin"):
        return 401  # no researcher's token is a session
    if not (needs or path.startswith("/v1/me")):
        return "open"
    if kind in CLOSED:
        return 401
    return "open" if not needs or kind == f"{needs}:read" else 403


def is_asked(path):
    return path.endswith(("/aggregates", "/plan")) or "/files/" in path or path.startswith("/v1/reports")


@pytest.mark.parametrize("kind", [*SCOPES, *CLOSED])
def test_a_route_answers_this_asker_as_the_table_says(deployment, tokens, kind):
    settings = {
        "limit_open": "100000/minute",
        "limit_standard": "100000/minute",
        "limit_attempts": "100000/minute",
    }
    with deployment.client(tokens[kind], **settings) as client:
        for path in addresses(client):
            status = client.get(path).status_code
            if wanted(path, kind) == "open":
                assert status not in {401, 403}, path
                assert status == 200 or status in {*STATUS.values(), 404, 422}, path
                assert status < 500, path
            else:
                assert status == wanted(path, kind), path
        asked = "/v1/datasets/moderation/aggregates"
        status = client.post(asked, json={"measure": "actions"}).status_code
        assert status == (200 if wanted(asked, kind) == "open" else wanted(asked, kind))


@pytest.mark.parametrize("kind", [*SCOPES, *CLOSED])
def test_no_researcher_may_do_what_admins_do(deployment, tokens, kind):
    filled = {"name": "REQ-1", "kid": "0" * 16, "purpose": "token", "notice": "ntc_a", **FILLED}
    before = deployment.registry.audit.verify().events
    with deployment.client(tokens[kind], limit_attempts="100000/minute") as client:
        described = client.get("/openapi.json").json()["paths"]
        acts = [(m, p) for p, found in described.items() if p.startswith("/v1/admin") for m in found]
        assert len([method for method, _ in acts if method != "get"]) >= 15
        for method, path in acts:
            answer = client.request(method, path.format(**filled), json={"reason": "because I can"})
            assert answer.status_code == 401, (method, path)
    assert deployment.registry.audit.verify().events == before


@pytest.mark.parametrize("kind", CLOSED)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/me/tokens/rotate"), ("DELETE", "/v1/me/tokens/current")]
)
def test_what_changes_a_token_needs_one_that_is_open(deployment, tokens, kind, method, path):
    with deployment.client(tokens[kind]) as client:
        assert client.request(method, path).status_code == 401


def test_a_cursor_of_another_project_is_the_same_cursor(deployment, tokens):
    """Answers are the same for everybody, so a cursor says nothing about who was given it."""
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
OF_OWNERS = ("/admins", "/sessions", "/keys", "/releases")


def right_of(method, path):
    """The right that an admin's act needs: the second rule, in five lines."""
    if method == "get" or path.endswith("/session/close"):
        return None
    if "/tokens" in path:
        return "tokens"
    return "administration" if path.startswith(tuple(f"/v1/admin{part}" for part in OF_OWNERS)) else "access"


@pytest.mark.parametrize("role", ["auditor", "issuer", "registrar", "owner"])
def test_an_act_of_an_admin_is_done_or_refused_as_the_role_says(deployment, role):
    """Acts are sent without a reason, so that those which are allowed are refused for that alone and change nothing."""
    filled = {"dataset": "moderation", "release": "latest", "name": "REQ-1", "notice": "ntc_a",
              "token": "tok_a", "purpose": "token", "kid": "0" * 16, "session": "tok_b"}  # fmt: skip
    with deployment.client(deployment.session(role), limit_admin="100000/minute") as client:
        described = client.get("/openapi.json").json()["paths"]
        acts = [(m, p) for p, found in described.items() if p.startswith("/v1/admin") for m in found]
        assert len(acts) >= 30
        for method, path in acts:
            status = client.request(method, path.format(**filled), json={}).status_code
            right = right_of(method, path)
            if right is not None and role not in RIGHTS[right]:
                assert status == 403, (method, path)
            elif right is not None or path.endswith("/session/close"):
                assert status == 400, (method, path)
            else:
                assert status == (404 if "{token}" in path else 200), (method, path)


def test_a_session_opens_nothing_that_researchers_ask(deployment):
    with deployment.client(deployment.session(), limit_attempts="1000/minute") as client:
        for path in addresses(client):
            if is_asked(path) or path.startswith("/v1/me"):
                assert client.get(path).status_code == 401, path
