"""The OpenAPI description: its examples work, it has every code list, and the repository has the current version."""

from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI, Response

from api.http.responses import NoContent
from api.http.router import Router
from api.spec.document import describe
from api.spec.problems import markdown, problem_types
from auth.projects import NewMember, NewProject
from datasets.catalogue import DATASETS
from datasets.definition import CodeList
from tests.api.conftest import ensure_problem
from tests.api.spec.described import (
    DOCUMENT,
    OPERATIONS,
    ensure_as_described,
    example_path,
    parameters,
    resolve,
)
from tests.deployment import ALL, EMAIL, mandate

ROOT = Path(__file__).parents[3]


def example_text(parameter):
    example = parameter["schema"]["examples"][0]
    return example if isinstance(example, str) else ",".join(example)


def is_released(path):
    """Only moderation has releases in the deployment of the tests."""
    return not any(f"/datasets/{d.name}/" in path for d in DATASETS if d.name != "moderation")


def test_the_description_in_the_repository_is_up_to_date(client):
    assert describe(client.app) == DOCUMENT, "run `make openapi` and review the difference"
    assert client.get("/openapi.json").json() == DOCUMENT
    assert DOCUMENT["openapi"].startswith("3.1")


def test_docs_problems_md_is_up_to_date():
    assert (ROOT / "docs" / "problems.md").read_text() == markdown(), (
        "run `make openapi` and review the difference"
    )


@pytest.fixture(scope="module")
def owner(deployment, tmp_path_factory):
    """The client of an owner, with the records that the examples of admin routes name."""
    place = deployment.copy(tmp_path_factory.mktemp("examples") / "home")
    registry, first, last = place.registry, date(2026, 1, 1), date(2030, 12, 31)
    for reference in ("EX-1", "EX-4"):
        registry.projects.create(NewProject(reference, "IE", "Risks", ALL, first, last), mandate())
        registry.projects.add_member(NewMember(reference, "A Researcher", EMAIL, "An institution"), mandate())
    for reference in ("EX-2", "EX-3", "EX-5"):
        registry.applications.submit(NewProject(reference, "IE", "Risks", ALL, first, last), mandate())
    for state in ("returned", "submitted"):
        registry.applications.set_state("EX-5", state, mandate())
    registry.admins.add("A Mover", "mover@example.org", "auditor", mandate())
    registry.admins.add("A Leaver", "leaver@example.org", "auditor", mandate())
    with place.client(place.session(), limit_admin="100000/minute") as client:
        yield client
    place.close()


def ensure_admin_example_works(owner, url, path, method):
    """The example is answered with a success, or with 404 if it names a token, session, key or notice that no test has."""
    if path in {"/v1/admin/session/close", "/v1/admin/keys/{purpose}/rotate"}:
        return  # the owner would lose the session; test_sessions.py and test_keys.py in tests/api/routes/admin have them
    body = DOCUMENT["paths"][path][method].get("requestBody")
    sent = body["content"]["application/json"]["example"] if body else None
    answer = owner.request(method, url, json=sent)
    if {"{token}", "{session}", "{kid}", "{notice}"} & set(path.split("/")):
        assert ensure_problem(answer, 404, "unknown-record")
    else:
        assert answer.status_code in {200, 202}, answer.text
    ensure_as_described(answer, path, method)


@pytest.mark.parametrize(("path", "method"), [o for o in OPERATIONS if is_released(o[0])])
def test_the_examples_of_an_operation_work(client, owner, path, method):
    url = example_path(path, method)
    if path.startswith("/v1/admin"):
        ensure_admin_example_works(owner, url, path, method)
        return
    if "/tokens/" in path:  # they change a token: tests/api/routes/test_me.py has them
        return
    if method == "post":
        body = DOCUMENT["paths"][path][method]["requestBody"]["content"]["application/json"]["example"]
        answer = client.post(url, json=body)
        assert answer.status_code == 200
        ensure_as_described(answer, path, method)
        return
    needed = {"measure": "actions"} if path.startswith("/v1/datasets/moderation/") else {}
    answer = client.get(url, params=needed)
    assert answer.status_code == 200, answer.text
    ensure_as_described(answer, path, method)
    for parameter in parameters(path, method):
        if parameter["in"] == "query" and "examples" in parameter["schema"]:
            params = {**needed, parameter["name"]: example_text(parameter)}
            if parameter["name"] == "level":
                params["group_by"] = "category"
            answer = client.get(url, params=params)
            assert answer.status_code == 200, answer.text
            ensure_as_described(answer, path, method)


def test_every_json_of_a_success_is_described_by_its_members():
    """All but the description itself, and a released file, whose contents depend on its name."""
    vague = {
        path
        for path, method in OPERATIONS
        for status, response in DOCUMENT["paths"][path][method]["responses"].items()
        for media, content in response.get("content", {}).items()
        if status < "300" and media.endswith("+json") | (media == "application/json")
        if not set(resolve(content["schema"])) & {"properties", "items"}
    }
    assert vague == {"/openapi.json", "/v1/releases/{dataset}/{release}/files/{name}"}


def test_a_handler_without_a_described_response_is_refused_when_its_route_is_made():
    async def handler() -> Response:
        return Response()

    with pytest.raises(TypeError, match="names no response"):
        Router().get("/nothing")(handler)


def test_a_parameter_in_a_path_without_an_example_is_refused_with_its_name():
    app, router = FastAPI(), Router()

    @router.get("/notes/{note}")
    async def handler(note: str) -> NoContent:
        return NoContent()

    app.include_router(router)
    with pytest.raises(TypeError, match=r"/notes/\{note\}: note has no example"):
        describe(app)


def test_every_operation_lists_its_problems_with_an_example_of_each():
    for path, method in OPERATIONS:
        for status, response in DOCUMENT["paths"][path][method]["responses"].items():
            if int(status) >= 400:
                examples = response["content"]["application/problem+json"]["examples"]
                assert examples
                for name, example in examples.items():
                    assert resolve(example)["value"]["status"] == int(status), name


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_level_is_a_parameter_with_the_codes_of_its_list(dataset):
    listed = {
        parameter["name"]: parameter
        for parameter in parameters(f"/v1/datasets/{dataset.name}/aggregates", "get")
    }
    for level in dataset.levels:
        if isinstance(level.codes, CodeList):
            assert listed[level.name]["schema"]["items"]["enum"] == [code.code for code in level.codes]
    measures = [m.name for m in (*dataset.measures, *dataset.derived)]
    assert listed["measure"]["schema"]["items"]["enum"] == measures


@pytest.mark.parametrize(
    "kind", [kind for kind in problem_types() if kind.explanation.request], ids=lambda kind: kind.name
)
def test_the_request_in_an_explanation_causes_the_problem(client, kind):
    request = kind.explanation.request.split(" ", 2)
    fields = dict([request[2].split(":", 1)]) if len(request) == 3 else {}
    answer = client.request(request[0], request[1], headers=fields)
    body = ensure_problem(answer, kind.status, kind.name)
    assert body["detail"].startswith(kind.explanation.detail)
    assert body["title"] == kind.title


def test_the_url_of_a_problem_type_explains_it_as_json_and_as_html(anonymous):
    for kind in problem_types():
        entry = anonymous.get(f"/problems/{kind.name}").json()
        assert entry["remedy"] == kind.explanation.remedy
        shown = anonymous.get(f"/problems/{kind.name}", headers={"Accept": "text/html,*/*;q=0.8"})
        assert shown.headers["content-type"] == "text/html; charset=utf-8"
        assert kind.title.split("'")[0] in shown.text


def test_the_page_of_the_description_loads_nothing_from_other_hosts(anonymous):
    page = anonymous.get("/docs")
    assert "http" not in page.text.replace("http-equiv", "")
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    for name, media in {
        "swagger-ui-bundle.js": "javascript",
        "swagger-ui.css": "css",
        "start.js": "javascript",
    }.items():
        asset = anonymous.get(f"/docs/{name}")
        assert asset.status_code == 200
        assert media in asset.headers["content-type"]
        assert name in page.text
    ensure_problem(anonymous.get("/docs/main.py"), 404)
