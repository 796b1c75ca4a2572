"""/v1/admin/applications: a reasoned request becomes a project, with mediation and with a second admin."""

import json

from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from tests.api.conftest import ensure_problem
from tests.api.routes.admin.conftest import REASON, REQUEST, question_status


def test_an_approved_request_is_a_project_whose_researcher_has_a_token_until_it_is_revoked(place, owner):
    assert owner.post("/v1/admin/applications", json=REQUEST).json()["state"] == "submitted"
    assert owner.post("/v1/admin/applications/REQ-HTTP/approve", json=REASON).json()["status"] == "active"
    person = {
        "project": "REQ-HTTP",
        "name": "A Person",
        "email": "p@example.org",
        "institution": "An institution",
    }
    assert owner.post("/v1/admin/researchers", json={**person, **REASON}).status_code == 200
    wanted = {"project": "REQ-HTTP", "researcher": "p@example.org", "idempotency_key": "first", **REASON}
    issued = owner.post("/v1/admin/tokens", json=wanted)
    assert issued.headers["cache-control"] == "no-store"
    token = issued.json()["token"]
    again = owner.post("/v1/admin/tokens", json=wanted).json()
    assert (again["again"], again["token_id"]) == (True, issued.json()["token_id"])
    assert question_status(place, token) == 200
    assert owner.post(f"/v1/admin/tokens/{again['token_id']}/revoke", json=REASON).json()["was_open"]
    assert question_status(place, token) == 401
    lines = [json.loads(line) for line in owner.get("/v1/admin/audit").text.splitlines()]
    acts = {line["act"]: line for line in lines if "act" in line}
    assert {"application.approved", "member.added", "token.issued", "token.revoked"} <= acts.keys()
    assert acts["token.revoked"]["actor"].startswith("admin:adm_")
    assert acts["token.revoked"]["reason"] == "as decided"


def test_a_mediation_has_its_deadlines(place, owner):
    assert owner.post("/v1/admin/applications", json=REQUEST).status_code == 200
    path = "/v1/admin/applications/REQ-HTTP"
    early = owner.post(f"{path}/mediation", json={"step": "asked", **REASON})
    ensure_problem(early, 409, "not-allowed")
    for state in ("returned", "submitted"):
        assert owner.post(f"{path}/state", json={"state": state, **REASON}).status_code == 200
    assert owner.post(f"{path}/mediation", json={"step": "asked", **REASON}).status_code == 200
    clocks = owner.get("/v1/admin/clocks").json()["clocks"]
    assert [c["kind"] for c in clocks if c["ended"] is None] == ["mediator"]
    assert not any(c["late"] for c in clocks)


def test_two_admins_approve_a_request_if_the_setting_requires_it(place):
    settings = place.registry_settings.model_copy(update={"four_eyes": "project-approval"})
    app = create_app(ApiSettings(home=place.home), settings)
    one, other = ({"Authorization": f"Bearer {place.session('registrar')}"} for _ in range(2))
    with TestClient(app) as client:
        direct = client.post("/v1/admin/projects", json={**REQUEST, "reference": "REQ-DIRECT"}, headers=one)
        ensure_problem(direct, 409, "not-allowed")
        assert client.post("/v1/admin/applications", json=REQUEST, headers=one).status_code == 200
        approve = "/v1/admin/applications/REQ-HTTP/approve"
        assert client.post(approve, json=REASON, headers=one).status_code == 202
        (waits,) = client.get("/v1/admin/pending", headers=other).json()["pending"]
        assert waits["act"] == "project-approval"
        ensure_problem(client.post(approve, json=REASON, headers=one), 409, "not-allowed")
        for state in (
            "returned",
            "submitted",
        ):  # what the first person consented to has been taken back since
            moved = {"state": state, "reason": "a question"}
            assert (
                client.post("/v1/admin/applications/REQ-HTTP/state", json=moved, headers=one).status_code
                == 200
            )
        assert client.post(approve, json=REASON, headers=other).status_code == 202
        assert client.post(approve, json=REASON, headers=one).json()["status"] == "active"
        assert client.get("/v1/admin/pending", headers=one).json()["pending"] == []
