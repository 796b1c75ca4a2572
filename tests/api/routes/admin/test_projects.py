"""/v1/admin/projects: changes, their versions, and the consent of a second admin."""

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from tests.api.conftest import ensure_problem
from tests.api.routes.admin.conftest import REASON


def test_an_unknown_project_is_not_found(owner, place):
    place.project()
    answer = owner.patch("/v1/admin/projects/REQ-111", json={"tier": "extended", **REASON})
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
def test_an_empty_or_impossible_change_is_refused_and_adds_no_version(place, owner, change, status, name):
    project = place.project()
    ensure_problem(owner.patch(f"/v1/admin/projects/{project}", json={**REASON, **change}), status, name)
    assert len(owner.get(f"/v1/admin/projects/{project}/versions").json()["versions"]) == 1


def test_a_change_that_extends_a_project_waits_for_a_second_admin(place):
    settings = place.registry_settings.model_copy(update={"four_eyes": "project-approval"})
    project = place.project()
    one, other = ({"Authorization": f"Bearer {place.session('registrar')}"} for _ in range(2))
    more, path = {"tier": "extended", "reason": "as amended"}, f"/v1/admin/projects/{project}"
    with TestClient(create_app(ApiSettings(home=place.home), settings)) as client:
        assert client.patch(path, json=more, headers=one).status_code == 202
        assert client.patch(path, json=more, headers=other).json()["tier"] == "extended"
