"""Names that no record can have are answered with 404 or 422 on every admin route and with both databases, never with 500."""

from __future__ import annotations

import json
import re

import pytest

from tests.deployment import Deployment
from tests.postgresql import database_url

IN_PATHS = (
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
    """The client of an owner, of an API without rate limits over a registry of this kind."""
    url = ""
    if request.param == "postgresql":
        url = database_url(request.getfixturevalue("postgresql").make())
    place = Deployment(tmp_path / "home", url)
    place.project()
    with place.client(place.session(), limit_admin="1000000/minute", limit_open="1000000/minute") as client:
        yield client
    place.close()


def routes(client):
    """Every admin route: its method, its path and an example of its body."""
    for path, found in client.get("/openapi.json").json()["paths"].items():
        if path.startswith("/v1/admin"):
            for method, operation in found.items():
                content = operation.get("requestBody", {}).get("content", {})
                yield method, path, content.get("application/json", {}).get("example")


def test_no_name_in_a_path_causes_a_server_error(owner):
    sent = 0
    for method, path, body in routes(owner):
        names = re.findall(r"{(\w+)}", path)
        for name in names:
            for value in IN_PATHS:
                url = path.format(**dict.fromkeys(names, "token") | {name: value})
                answer = owner.request(method, url, content=json.dumps(body) if body else None)
                assert answer.status_code in {404, 422}, (method, path, value, answer.text)
                sent += 1
    assert sent >= 12 * len(IN_PATHS)


def test_no_text_in_a_body_causes_a_server_error(owner):
    sent = 0
    for method, path, body in routes(owner):
        url = re.sub(r"{\w+}", "token", path)
        for member in body or ():
            for value in IN_BODIES if isinstance(body[member], str) else ():
                text = json.dumps({**body, member: value})
                answer = owner.request(method, url, content=text)
                assert answer.status_code in {400, 404, 409, 422}, (method, path, member, value, answer.text)
                sent += 1
    assert sent >= 40 * len(IN_BODIES)


def test_no_project_in_a_query_causes_a_server_error(owner):
    for value in IN_PATHS:
        assert owner.get(f"/v1/admin/tokens?project={value}").status_code in {400, 404, 422}, value
