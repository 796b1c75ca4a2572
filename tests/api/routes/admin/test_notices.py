"""/v1/admin/notices and /v1/admin/ending."""

import asyncio
from datetime import UTC, datetime, timedelta

from api.server import background
from tests.api.routes.admin.conftest import REASON
from tests.waiting import PATIENCE


def test_listing_notices_writes_nothing_and_the_server_adds_them(place):
    project = place.project(at=datetime.now(UTC) - timedelta(days=200))
    (reference,) = [p.reference for p in place.registry.projects.list() if p.id == project]

    def listed_notices():
        found = client.get("/v1/admin/notices").json()["notices"]
        return {n["kind"]: n["late"] for n in found if n["reference"] == reference}

    with place.client(place.session("auditor")) as client:
        events = place.registry.audit.verify().events
        assert set(listed_notices()) == {"access_begins"}
        assert place.registry.audit.verify().events == events

        async def until_a_notice_is_added():
            async with background.flush_periodically(place.registry, notices=0.01):
                while len(listed_notices()) == 1:
                    await asyncio.sleep(0.02)

        asyncio.run(asyncio.wait_for(until_a_notice_is_added(), PATIENCE))
        assert listed_notices()["access_ends"] is True


def test_admins_and_the_researcher_see_that_access_ends_soon(place, owner):
    project = place.project()
    token = place.token(project, days=5)
    end = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    owner.patch(f"/v1/admin/projects/{project}", json={"last_day": end, **REASON})
    found = owner.get("/v1/admin/ending").json()
    (reference,) = [p.reference for p in place.registry.projects.list() if p.id == project]
    assert reference in {p["reference"] for p in found["projects"]}
    ours = [t for t in found["tokens"] if t["project"] == reference]
    assert [t["researcher"] for t in ours] == ["researcher@example.org"]
    with place.client(token) as client:
        answer = client.get("/v1/me")
    assert "This access ends in" in answer.json()["warnings"][0]
    assert answer.headers["x-token-expires"] == answer.json()["expires"]
