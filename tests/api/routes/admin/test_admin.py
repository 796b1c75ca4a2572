"""Admins over HTTP: what they do holds at once, is on record with its reason, and needs two people where that is set."""

import asyncio
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.server import background
from api.settings import ApiSettings
from auth.audit.log import Mandate
from auth.errors import NotAllowed
from auth.registry import open_registry
from cli.terminal import release_action_recorder
from datasets.catalogue import find_dataset
from datasets.pipeline.operations.withdrawal import withdraw
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner
from tests.api.conftest import AGGREGATES, ensure_problem
from tests.deployment import mandate

QUESTION = f"{AGGREGATES}?measure=actions"
REQUEST = {
    "reference": "REQ-HTTP", "dsc": "IE", "purpose": "Systemic risks", "scopes": "moderation:read",
    "first_day": "2026-01-01", "last_day": "2030-01-01", "reason": "received",
}  # fmt: skip
WHY = {"reason": "as decided"}


@pytest.fixture
def place(deployment, tmp_path):
    copy = deployment.copy(tmp_path / "home")
    yield copy
    copy.close()


@pytest.fixture
def owner(place):
    with place.client(place.session()) as client:
        yield client


def asked(place, token):
    with place.client(token) as client:
        return client.get(QUESTION).status_code


def test_a_request_becomes_a_project_with_a_researcher_whose_token_opens_and_is_closed(place, owner):
    assert owner.post("/v1/admin/applications", json=REQUEST).json()["state"] == "submitted"
    assert owner.post("/v1/admin/applications/REQ-HTTP/approve", json=WHY).json()["status"] == "active"
    person = {
        "project": "REQ-HTTP",
        "name": "A Person",
        "email": "p@example.org",
        "institution": "An institution",
    }
    assert owner.post("/v1/admin/researchers", json={**person, **WHY}).status_code == 200
    wanted = {"project": "REQ-HTTP", "researcher": "p@example.org", "idempotency_key": "first", **WHY}
    issued = owner.post("/v1/admin/tokens", json=wanted)
    assert issued.headers["cache-control"] == "no-store"
    token = issued.json()["token"]
    again = owner.post("/v1/admin/tokens", json=wanted).json()
    assert (again["again"], again["token_id"]) == (True, issued.json()["token_id"])
    assert asked(place, token) == 200
    assert owner.post(f"/v1/admin/tokens/{again['token_id']}/revoke", json=WHY).json()["was_open"]
    assert asked(place, token) == 401
    lines = [json.loads(line) for line in owner.get("/v1/admin/audit").text.splitlines()]
    acts = {line["act"]: line for line in lines if "act" in line}
    assert {"application.approved", "member.added", "token.issued", "token.revoked"} <= acts.keys()
    assert acts["token.revoked"]["actor"].startswith("admin:adm_")
    assert acts["token.revoked"]["reason"] == "as decided"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": 5}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({**WHY, "raeson": "canary-value"}, "raeson"),
        ([], "body"),
    ],
)
def test_an_act_without_a_reason_or_with_other_members_is_not_done(place, owner, body, where):
    token = place.token()
    token_id = place.registry.tokens.identify(token, datetime.now(UTC)).token_id
    answer = owner.post(f"/v1/admin/tokens/{token_id}/revoke", json=body)
    assert ensure_problem(answer, 400, "malformed")["parameter"] == where
    assert "canary-value" not in answer.text
    assert asked(place, token) == 200


def test_what_is_not_there_is_said_with_what_may_have_been_meant(owner, place):
    place.project()
    answer = owner.patch("/v1/admin/projects/REQ-111", json={"tier": "extended", **WHY})
    assert ensure_problem(answer, 404, "unknown-record")["parameter"] == "project"


@pytest.mark.parametrize(
    ("change", "status", "name"),
    [
        ({}, 409, "not-allowed"),
        ({"tier": "standard"}, 409, "not-allowed"),
        ({"reason": "\x00"}, 422, "malformed-value"),
        ({"last_day": "9999-12-31"}, 400, "malformed"),
        ({"last_day": "2020-01-01"}, 409, "not-allowed"),
        ({"scopes": "ads:raed"}, 422, "malformed-value"),
    ],
)
def test_a_change_that_is_none_or_cannot_be_is_refused_and_leaves_no_version(
    place, owner, change, status, name
):
    project = place.project()
    ensure_problem(owner.patch(f"/v1/admin/projects/{project}", json={**WHY, **change}), status, name)
    assert len(owner.get(f"/v1/admin/projects/{project}/versions").json()["versions"]) == 1


def closed(place, session):
    place.registry.sessions.close(read(place, session).session, mandate())


def ended(place, session):
    place.registry.admins.end(read(place, session).admin, mandate())


def read(place, session):
    return place.registry.sessions.principal(session, datetime.now(UTC))


@pytest.mark.parametrize("end", [closed, ended])
def test_a_session_that_is_closed_or_whose_admin_is_none_any_more_opens_nothing(place, end):
    session = place.session()
    with place.client(session) as client:
        assert client.get("/v1/admin/session").json()["role"] == "owner"
        end(place, session)
        ensure_problem(client.get("/v1/admin/session"), 401, "token-refused")


def test_a_session_ends_by_itself(place):
    session = place.session(at=datetime.now(UTC) - timedelta(minutes=31))
    with place.client(session) as client:
        ensure_problem(client.get("/v1/admin/session"), 401, "token-refused")


def test_a_stolen_key_opens_nothing_and_its_successor_signs_at_once(place):
    before, session = place.token(), place.session()
    kid = next(k.kid for k in place.registry.keys.list() if (k.purpose, k.status) == ("token", "active"))
    with place.client(session) as client:
        answer = client.post(f"/v1/admin/keys/{kid}/revoke", json={"reason": "it was copied"}).json()
        assert answer["successor"] not in {None, kid}
        assert client.get("/v1/admin/session").status_code == 401
        assert kid not in {key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]}
    assert asked(place, before) == 401
    assert asked(place, place.token()) == 200
    assert place.registry.audit.verify().events


def test_the_exported_audit_can_be_followed_without_this_program(owner, place):
    *lines, head = [json.loads(line) for line in owner.get("/v1/admin/audit").text.splitlines()]
    previous = "0" * 64
    for seq, line in enumerate(lines, start=1):
        found = line.pop("hash")
        assert (line["seq"], line["previous"]) == (seq, previous)
        text = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert previous == found
    assert head["head"] == previous
    tail = owner.get("/v1/admin/audit", params={"after": len(lines) - 2}).text.splitlines()
    assert len(tail) == 3


def test_a_release_stays_until_a_second_person_withdraws_it(place, monkeypatch):
    settings = place.registry_settings.model_copy(update={"four_eyes": "release-withdrawal"})
    registry, moderation = open_registry(settings), find_dataset("moderation")
    seal = ReleaseSigner(
        registry.keys.release_signer(), registry.keys.release_verifier(), release_action_recorder(registry)
    )
    why, now = "The codes of two categories were swapped.", datetime.now(UTC)

    def attempt():
        return withdraw(place.releases, ledger, moderation, "2026-06.1", why, seal, now)

    ledger = LedgerStore(f"sqlite:///{place.home / 'ledger.sqlite'}")
    try:
        for words in ("waits for another person", "another person must"):
            with pytest.raises(NotAllowed, match=words):
                attempt()
            assert not list(place.releases.rglob("*erratum*"))
        another = 0 if os.getuid() else 1
        monkeypatch.setattr("cli.terminal.os.getuid", lambda: another)
        attempt()
    finally:
        ledger.close()
        registry.close()
    with place.client(place.token()) as client:
        assert client.get(f"{QUESTION}&release=2026-06.1").status_code == 410
    acts = [line["act"] for line in place.registry.audit.export() if "act" in line]
    assert acts.index("release-withdrawal.asked") < acts.index("release.withdrawn")


def test_more_of_a_project_waits_for_a_second_person_over_http(place):
    settings = place.registry_settings.model_copy(update={"four_eyes": "project-approval"})
    project = place.project()
    one, other = ({"Authorization": f"Bearer {place.session('registrar')}"} for _ in range(2))
    more, path = {"tier": "extended", "reason": "as amended"}, f"/v1/admin/projects/{project}"
    with TestClient(create_app(ApiSettings(home=place.home), settings)) as client:
        assert client.patch(path, json=more, headers=one).status_code == 202
        assert client.patch(path, json=more, headers=other).json()["tier"] == "extended"


def test_a_role_is_changed_and_a_session_closed_over_http(place, owner):
    issuer = place.session("issuer")
    with place.client(issuer) as client:
        own = client.get("/v1/admin/session").json()
        (line,) = [
            s for s in owner.get("/v1/admin/sessions").json()["sessions"] if s["session"] == own["session"]
        ]
        assert (line["admin"], line["role"]) == (own["admin"], "issuer")
        assert client.post("/v1/admin/applications", json=REQUEST).status_code == 403
        changed = owner.post(f"/v1/admin/admins/{line['admin']}/role", json={"role": "registrar", **WHY})
        assert changed.json()["role"] == "registrar"
        assert client.post("/v1/admin/applications", json=REQUEST).status_code == 200
        assert owner.post(f"/v1/admin/sessions/{line['session']}/close", json=WHY).status_code == 200
        assert client.get("/v1/admin/session").status_code == 401
    wrong = owner.post(f"/v1/admin/admins/{line['admin']}/role", json={"role": "king", **WHY})
    ensure_problem(wrong, 422, "malformed-value")


def test_a_mediation_keeps_its_clocks_over_http(place, owner):
    assert owner.post("/v1/admin/applications", json=REQUEST).status_code == 200
    path = "/v1/admin/applications/REQ-HTTP"
    early = owner.post(f"{path}/mediation", json={"step": "asked", **WHY})
    ensure_problem(early, 409, "not-allowed")
    for state in ("returned", "submitted"):
        assert owner.post(f"{path}/state", json={"state": state, **WHY}).status_code == 200
    assert owner.post(f"{path}/mediation", json={"step": "asked", **WHY}).status_code == 200
    clocks = owner.get("/v1/admin/clocks").json()["clocks"]
    assert {c["kind"] for c in clocks if c["ended"] is None} == {"mediator", "mediation"}
    assert not any(c["late"] for c in clocks)


def test_whoever_looks_at_notices_writes_nothing_and_the_server_adds_them(place):
    project = place.project(at=datetime.now(UTC) - timedelta(days=200))
    (reference,) = [p.reference for p in place.registry.projects.list() if p.id == project]

    def told():
        found = client.get("/v1/admin/notices").json()["notices"]
        return {n["kind"]: n["late"] for n in found if n["reference"] == reference}

    with place.client(place.session("auditor")) as client:
        events = place.registry.audit.verify().events
        assert set(told()) == {"access_begins"}
        assert place.registry.audit.verify().events == events

        async def a_moment():
            async with background.flush_periodically(place.registry, ends=0.01):
                while len(told()) == 1:
                    await asyncio.sleep(0.02)

        asyncio.run(asyncio.wait_for(a_moment(), 20))
        assert told()["access_ends"] is True


def test_what_ends_soon_is_said_to_admins_and_to_the_researcher(place, owner):
    project = place.project()
    token = place.token(project, days=5)
    end = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    owner.patch(f"/v1/admin/projects/{project}", json={"last_day": end, **WHY})
    found = owner.get("/v1/admin/ending").json()
    (reference,) = [p.reference for p in place.registry.projects.list() if p.id == project]
    assert reference in {p["reference"] for p in found["projects"]}
    ours = [t for t in found["tokens"] if t["project"] == reference]
    assert [t["researcher"] for t in ours] == ["researcher@example.org"]
    with place.client(token) as client:
        answer = client.get("/v1/me")
    assert "This access ends in" in answer.json()["warnings"][0]
    assert answer.headers["x-token-expires"] == answer.json()["expires"]


def test_two_people_approve_a_request_where_that_is_set(place):
    settings = place.registry_settings.model_copy(update={"four_eyes": "project-approval"})
    app = create_app(ApiSettings(home=place.home), settings)
    one, other = ({"Authorization": f"Bearer {place.session('registrar')}"} for _ in range(2))
    with TestClient(app) as client:
        direct = client.post("/v1/admin/projects", json={**REQUEST, "reference": "REQ-DIRECT"}, headers=one)
        ensure_problem(direct, 409, "not-allowed")
        assert client.post("/v1/admin/applications", json=REQUEST, headers=one).status_code == 200
        approve = "/v1/admin/applications/REQ-HTTP/approve"
        assert client.post(approve, json=WHY, headers=one).status_code == 202
        (waits,) = client.get("/v1/admin/pending", headers=other).json()["pending"]
        assert waits["act"] == "project-approval"
        ensure_problem(client.post(approve, json=WHY, headers=one), 409, "not-allowed")
        for state in ("returned", "submitted"):  # what the first person agreed to has been taken back since
            moved = {"state": state, "reason": "a question"}
            assert (
                client.post("/v1/admin/applications/REQ-HTTP/state", json=moved, headers=one).status_code
                == 200
            )
        assert client.post(approve, json=WHY, headers=other).status_code == 202
        assert client.post(approve, json=WHY, headers=one).json()["status"] == "active"
        assert client.get("/v1/admin/pending", headers=one).json()["pending"] == []


def test_a_withdrawal_is_asked_over_http_and_done_by_another_where_releases_are_built(place, owner):
    answer = owner.post("/v1/admin/releases/moderation/2026-06.1/withdraw", json={"reason": "wrong codes"})
    assert answer.status_code == 202
    settings = place.registry_settings.model_copy(update={"four_eyes": "release-withdrawal"})
    registry = open_registry(settings)
    try:
        release_action_recorder(registry)("release.withdrawn", "moderation/2026-06.1", "the codes were wrong")
        with pytest.raises(NotAllowed, match="waits for another person"):
            release_action_recorder(registry)(
                "release.withdrawn", "moderation/2026-05.1", "the codes were wrong"
            )
        with pytest.raises(NotAllowed, match="another person must"):
            release_action_recorder(registry)(
                "release.withdrawn", "moderation/2026-05.1", "the codes were wrong"
            )
        another = Mandate("cli:another", "the codes were wrong", datetime.now(UTC))
        assert registry.approvals.agree_to_withdrawal("moderation/2026-05.1", another)
    finally:
        registry.close()
    owner.post("/v1/admin/releases/moderation/2026-05.1/withdraw", json={"reason": "wrong codes"})
    unknown = owner.post("/v1/admin/releases/moderation/2020-01.1/withdraw", json={"reason": "wrong codes"})
    ensure_problem(unknown, 404, "unknown-release")
