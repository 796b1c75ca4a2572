"""/v1/admin/session, /v1/admin/sessions and /v1/admin/admins: what closes a session, and what a new role may do."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.conftest import ensure_problem
from tests.api.routes.admin.conftest import REASON, REQUEST
from tests.deployment import mandate


def close_session(place, session):
    place.registry.sessions.close(principal_of(place, session).session, mandate())


def end_admin(place, session):
    place.registry.admins.end(principal_of(place, session).admin, mandate())


def principal_of(place, session):
    return place.registry.sessions.principal(session, datetime.now(UTC))


@pytest.mark.parametrize("end", [close_session, end_admin])
def test_a_closed_session_and_that_of_an_ended_admin_are_refused(place, end):
    session = place.session()
    with place.client(session) as client:
        assert client.get("/v1/admin/session").json()["role"] == "owner"
        end(place, session)
        ensure_problem(client.get("/v1/admin/session"), 401, "token-refused")


def test_a_session_expires(place):
    session = place.session(at=datetime.now(UTC) - timedelta(minutes=31))
    with place.client(session) as client:
        ensure_problem(client.get("/v1/admin/session"), 401, "token-refused")


def test_a_changed_role_and_a_closed_session_apply_to_the_next_request(place, owner):
    issuer = place.session("issuer")
    with place.client(issuer) as client:
        own = client.get("/v1/admin/session").json()
        (line,) = [
            s for s in owner.get("/v1/admin/sessions").json()["sessions"] if s["session"] == own["session"]
        ]
        assert (line["admin"], line["role"]) == (own["admin"], "issuer")
        assert client.post("/v1/admin/applications", json=REQUEST).status_code == 403
        changed = owner.post(f"/v1/admin/admins/{line['admin']}/role", json={"role": "registrar", **REASON})
        assert changed.json()["role"] == "registrar"
        assert client.post("/v1/admin/applications", json=REQUEST).status_code == 200
        assert owner.post(f"/v1/admin/sessions/{line['session']}/close", json=REASON).status_code == 200
        assert client.get("/v1/admin/session").status_code == 401
    wrong = owner.post(f"/v1/admin/admins/{line['admin']}/role", json={"role": "king", **REASON})
    ensure_problem(wrong, 422, "malformed-value")


def test_an_admin_closes_their_own_session(place):
    with place.client(place.session("auditor")) as client:
        session = client.get("/v1/admin/session").json()["session"]
        assert client.post("/v1/admin/session/close", json=REASON).json() == {"session": session}
        ensure_problem(client.get("/v1/admin/session"), 401, "token-refused")
