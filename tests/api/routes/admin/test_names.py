"""Names that no record can have are unknown or malformed on every route of admins, whichever database is asked; no outage."""

from __future__ import annotations

import json
import re

import pytest

from tests.deployment import Deployment
from tests.postgresql import database_url

IN_ADDRESSES = (
    "%00",
    "EX-1%00",
    "tok_%00",
    "a%00%40example.org",
    "%ED%A0%80",
    "%FF",
    "%EF%BF%BF",
    "a" * 4000,
)
IN_BODIES = ("\0", "EX-1\0", "a\0@example.org", "\ud800", "EX-1\udfff", "\uffff", "a" * 2001)


@pytest.fixture(params=["sqlite", "postgresql"])
def owner(request, tmp_path):
    """An owner, who asks an API over a registry of this kind, without limits."""
    url = ""
    if request.param == "postgresql":
        url = database_url(request.getfixturevalue("postgresql").make())
    place = Deployment(tmp_path / "home", url)
    place.project()
    with place.client(place.session(), limit_admin="1000000/minute", limit_open="1000000/minute") as client:
        yield client
    place.close()


def routes(client):
    """Every route of admins: its method, its address, the names in it, and an example of its body."""
    for path, found in client.get("/openapi.json").json()["paths"].items():
        if path.startswith("/v1/admin"):
            for method, said in found.items():
                content = said.get("requestBody", {}).get("content", {})
                yield method, path, content.get("application/json", {}).get("example")


def test_no_name_in_an_address_is_an_outage(owner):
    asked = 0
    for method, path, body in routes(owner):
        names = re.findall(r"{(\w+)}", path)
        for name in names:
            for value in IN_ADDRESSES:
                there = path.format(**dict.fromkeys(names, "token") | {name: value})
                answer = owner.request(method, there, content=json.dumps(body) if body else None)
                assert answer.status_code in {404, 422}, (method, path, value, answer.text)
                asked += 1
    assert asked >= 12 * len(IN_ADDRESSES)


def test_no_text_in_a_body_is_an_outage(owner):
    asked = 0
    for method, path, body in routes(owner):
        there = re.sub(r"{\w+}", "token", path)
        for member in body or ():
            for value in IN_BODIES if isinstance(body[member], str) else ():
                text = json.dumps({**body, member: value})
                answer = owner.request(method, there, content=text)
                assert answer.status_code in {400, 404, 409, 422}, (method, path, member, value, answer.text)
                asked += 1
    assert asked >= 40 * len(IN_BODIES)


def test_no_project_in_a_query_is_an_outage(owner):
    for value in IN_ADDRESSES:
        assert owner.get(f"/v1/admin/tokens?project={value}").status_code in {400, 404, 422}, value
