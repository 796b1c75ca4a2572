"""The description of the API (OpenAPI 3.1): generated from the routes, the declarations and the table of refusals.

A question's words depend on its dataset, so addresses that are asked questions are described once for each dataset.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from api.dependencies import only_parameters
from api.http.media import FORMATS
from api.http.problems import PROBLEM_JSON
from api.http.responses import response_with_etag
from api.query.body import BODY_EXAMPLE as BODY
from api.routes.about.docs import ASSETS
from api.spec.admin_examples import exemplify, is_administered
from api.spec.parameters import METADATA, words_of
from api.spec.problems import pages
from api.spec.schemas import SCHEMAS, ref
from datasets.catalogue import DATASETS, code_lists
from datasets.definition import Dataset
from datasets.reports.official.parts import PARTS

router = APIRouter(tags=["service"])

DESCRIPTION = (
    "Anonymised aggregates on ads, recommendations and moderation actions for vetted researchers. Every number carries its "
    "exact standard error, every question is free, and the same question has the same answer for everybody."
)
ASKED = ("aggregates", "plan", "citation")
"""The last part of the addresses that are asked questions."""
FILE = "/v1/releases/{dataset}/{release}/files/{name}"


@dataclass(frozen=True)
class Shape:
    """What an operation answers, by media type, and the problems that are its own."""

    content: dict[str, Any] = field(default_factory=lambda: _media(JSON))
    problems: frozenset[str] = frozenset()
    token: bool = False
    status: str = "200"
    conditional: bool = True
    """Whether it has a validator, so that 304 may be answered."""


JSON = "application/json"
OBJECT, LINES = {"type": "object"}, {"type": "string"}
BINARY = {"type": "string", "contentEncoding": "binary"}


def _media(*names: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """Content of these media types: JSON of a schema, others as text, the binary ones as bytes."""
    found: dict[str, Any] = {}
    for name in (name.split(";")[0] for name in names):
        other = BINARY if "vnd.apache" in name or name.startswith("image/") else LINES
        found[name] = {
            "schema": (schema or OBJECT) if name.endswith("json") and "x-ndjson" not in name else other
        }
    return found


CITATIONS = _media(
    "application/vnd.citationstyles.csl+json", "application/x-bibtex", schema={"type": "array"}
)
FEEDS = _media(JSON, "application/atom+xml")
OF_EVERY = {
    "malformed", "unknown-parameter", "repeated-parameter", "too-long", "too-many-requests", "internal-server-error",
}  # fmt: skip
"""Problems that every operation may answer."""
OF_OWN = {"token-missing", "token-refused", "too-many-attempts", "registry-unavailable"}
OF_TOKEN = OF_OWN | {"out-of-scope"}
OF_ACT = frozenset({"registry-unavailable", "key-unusable", "chain-broken"})
FOUND = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["token"],
                "properties": {"token": {"type": "string", "maxLength": 4096}},
            },
            "example": {"token": "the text that was found"},
        }
    },
}
OF_RELEASE = {
    "unknown-dataset", "unknown-release", "release-withdrawn", "release-damaged", "release-unavailable",
}  # fmt: skip
OF_REPORT = frozenset(
    {
        "out-of-scope", "quota-spent", "not-acceptable", "malformed-period", "malformed-question", "report-not-covered",
        "release-withdrawn", "release-damaged", "release-unavailable", "question-interrupted", "too-busy", "mixed-versions",
    }
)  # fmt: skip
NOT_OF_QUESTION = {
    "report-not-covered", "unknown-part",
    "unknown-code-list", "unknown-file", "range-not-satisfiable", "too-large", "method-not-allowed", "not-found",
    "malformed-value", "not-allowed", "unknown-record", "role-too-small", "key-unusable", "chain-broken",
}  # fmt: skip
OF_ADMIN = OF_ACT | {
    "malformed-value",
    "not-allowed",
    "unknown-record",
    "role-too-small",
    "too-large",
    "not-found",
}
SHAPES = {
    "/v1/datasets": Shape(_media(JSON, "text/html")),
    "/v1/datasets/{dataset}": Shape(_media(JSON, "text/html")),
    "/v1/datasets/{dataset}/codebook": Shape(_media(JSON, "text/csv", "text/markdown")),
    "/v1/codelists/{name}": Shape(problems=frozenset({"unknown-code-list"})),
    "/v1/changelog": Shape(FEEDS),
    "/v1/errata": Shape(FEEDS),
    "/v1/ledger": Shape(problems=frozenset({"release-damaged"})),
    "/v1/releases/{dataset}/{release}/citation": Shape(CITATIONS),
    "/problems/{name}": Shape(_media(JSON, "text/html"), frozenset({"not-found"})),
    "/docs": Shape(_media("text/html")),
    "/docs/{name}": Shape(_media("text/javascript", "text/css", "image/png"), frozenset({"not-found"})),
    "/v1/admin/audit": Shape(_media(FORMATS["ndjson"]), OF_ADMIN, token=True, conditional=False),
    "/metrics": Shape(_media("text/plain"), conditional=False),
    "/readyz": Shape(problems=frozenset({"registry-unavailable"}), conditional=False),
    "/v1/projects": Shape(problems=frozenset({"registry-unavailable"})),
    "/v1/me": Shape(token=True, conditional=False),
    "/v1/me/usage": Shape(token=True, conditional=False),
    "/v1/me/tokens/rotate": Shape(
        problems=OF_ACT | {"malformed-value", "not-allowed"}, token=True, status="201", conditional=False
    ),
    "/v1/me/tokens/current": Shape(content={}, problems=OF_ACT, token=True, status="204", conditional=False),
    "/v1/tokens/revoke": Shape(
        content={}, problems=OF_ACT | {"too-many-attempts"}, status="204", conditional=False
    ),
    "/.well-known/jwks.json": Shape(problems=frozenset({"registry-unavailable"})),
    "/v1/reports": Shape(problems=frozenset({"out-of-scope", "quota-spent"}), token=True),
    "/v1/reports/{period}": Shape(_media(JSON, "text/csv", "text/html"), OF_REPORT, token=True),
    "/v1/reports/{period}/{part}": Shape(_media("text/csv", JSON), OF_REPORT | {"unknown-part"}, token=True),
    FILE: Shape(
        _media(FORMATS["parquet"], JSON),
        frozenset({"out-of-scope", "quota-spent", "unknown-file", "range-not-satisfiable"}),
        token=True,
    ),
}
"""What is answered otherwise than as a JSON object."""
ADMIN = Shape(problems=OF_ADMIN, token=True, conditional=False)


@router.get("/openapi.json", summary="This description", dependencies=[Depends(only_parameters())])
async def openapi_json(request: Request) -> Response:
    """OpenAPI 3.1."""
    state = request.app.state
    if not hasattr(state, "description"):
        state.description = orjson.dumps(description(request.app))
    return response_with_etag(request, state.description, JSON, {})


def description(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application."""
    document = get_openapi(title="Daylight", version="1", description=DESCRIPTION, routes=app.routes)
    document["components"] = {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "session": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        },
        "schemas": SCHEMAS,
        "parameters": {
            f"{dataset.name}.{word['name']}": word for dataset in DATASETS for word in words_of(dataset)
        },
        "examples": {page.name: {"summary": page.title, "value": page.example} for page in pages()},
    }
    paths: dict[str, Any] = {}
    for path, operations in document["paths"].items():
        if path.startswith("/v1/datasets/{dataset}/") and path.rsplit("/", 1)[1] in ASKED:
            for dataset in DATASETS:
                own = orjson.loads(orjson.dumps(operations))
                paths[path.replace("{dataset}", dataset.name)] = {
                    method: _asked(operation, path, method, dataset) for method, operation in own.items()
                }
        else:
            paths[path] = {
                method: _completed(operation, path, method) for method, operation in operations.items()
            }
    document["paths"] = paths
    return document


def _asked(operation: dict[str, Any], path: str, method: str, dataset: Dataset) -> dict[str, Any]:
    """An operation that is asked a question of one dataset."""
    kind = path.rsplit("/", 1)[1]
    operation["operationId"] = f"{method}_{dataset.name}_{kind}"
    operation["summary"] = f"{operation['summary']}: {dataset.title.lower()}"
    words = [{"$ref": f"#/components/parameters/{dataset.name}.{word['name']}"} for word in words_of(dataset)]
    problems = {page.name for page in pages()} - NOT_OF_QUESTION
    content = _media(JSON, schema=ref("Plan"))
    if kind == "aggregates":
        content = _media(*FORMATS.values(), schema=ref("Answer"))
    else:
        problems -= {"question-interrupted", "quota-spent", "too-busy"}
    if kind == "citation":
        content, problems = CITATIONS, problems - OF_TOKEN - {"not-acceptable", "too-many-attempts"}
        words = [word for word in words if not word["$ref"].endswith(".format")]
        words.append(METADATA["/v1/releases/{dataset}/{release}/citation"])
    else:
        operation["security"] = [{"token": []}]
    if method == "post":
        operation["requestBody"] = _body(dataset)
        words, problems = [], problems - {"too-long"} | {"too-large"}
    operation["parameters"] = words
    operation["responses"] = _responses(content, problems, conditional=method != "post")
    return operation


def _body(dataset: Dataset) -> dict[str, Any]:
    """A question as a JSON object: the same words, several values as a list or with commas between."""
    listed = {"type": "array", "items": {"type": "string", "pattern": "^[^,]+$"}, "minItems": 1}
    members = {
        word["name"]: {
            "description": word["description"],
            "anyOf": [{"type": "string"}, listed, {"type": "number"}],
        }
        for word in words_of(dataset)
    }
    example = {
        **orjson.loads(BODY),
        "measure": [dataset.measures[0].name],
        "group_by": [dataset.levels[0].name],
    }
    schema = {"type": "object", "properties": members, "additionalProperties": False}
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}


def _completed(operation: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    """An operation on metadata, a file, or the service itself."""
    shape = (
        SHAPES.get(f"{method} {path}") or SHAPES.get(path) or (ADMIN if is_administered(path) else Shape())
    )
    problems = _problems_at(path) | shape.problems | (OF_OWN if shape.token else set())
    operation["responses"] = _responses(shape.content, problems, conditional=shape.conditional)
    operation["responses"][shape.status] = operation["responses"].pop("200")
    if shape.token:
        operation["security"] = [{"session" if is_administered(path) else "token": []}]
    if path.endswith(("/approve", "/withdraw")) or (path, method) == ("/v1/admin/projects/{name}", "patch"):
        operation["responses"]["202"] = {
            "description": "It waits for somebody else.",
            "content": _media(JSON),
        }
    if path == FILE:
        ranges = {**shape.content, "multipart/byteranges": {"schema": BINARY}}
        operation["responses"]["206"] = {"description": "The ranges asked for.", "content": ranges}
    if path == "/v1/tokens/revoke":
        operation["requestBody"] = FOUND
    if path == "/readyz":
        operation["responses"]["503"]["content"] |= _media(JSON)
    if path in METADATA:
        operation.setdefault("parameters", []).append(METADATA[path])
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            _name(parameter, path)
    if path in LINKS:
        operation["responses"]["200"]["links"] = LINKS[path]
    return operation


def _problems_at(path: str) -> set[str]:
    """What may be wrong with a request, by what its address names."""
    found = set(OF_EVERY)
    if "{dataset}" in path:
        found |= {"unknown-dataset"}
    if "{release}" in path:
        found |= OF_RELEASE
    if path in METADATA:
        found |= {"malformed-question"}
    return found


def _name(parameter: dict[str, Any], path: str) -> None:
    """What may stand in an address, with an example that is there."""
    if is_administered(path) and parameter["name"] not in {"dataset", "release"}:
        exemplify(parameter, path)
        return
    if parameter["name"] == "dataset":
        parameter["schema"] = {"type": "string", "enum": [dataset.name for dataset in DATASETS]}
        parameter["example"] = "moderation"
    elif parameter["name"] in {"release", "other"}:
        parameter["schema"] = {"type": "string", "pattern": r"^(latest|\d{4}-\d{2}\.[1-9]\d{0,3})$"}
        parameter["example"] = "latest"
    elif parameter["name"] == "period":
        parameter["schema"] = {"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2]|Q[1-4]|H[12])$"}
        parameter["example"] = "2026-06"
    elif parameter["name"] == "part":
        parameter["schema"] = {"type": "string", "enum": list(PARTS)}
        parameter["example"] = "4_notices"
    elif path.startswith("/v1/codelists"):
        parameter["schema"] = {"type": "string", "enum": sorted(code_lists())}
        parameter["example"] = "category"
    elif path.startswith("/problems"):
        parameter["schema"] = {"type": "string", "enum": [page.name for page in pages()]}
        parameter["example"] = "unknown-code"
    elif path.startswith("/docs"):
        parameter["schema"] = {"type": "string", "enum": [*ASSETS, "start.js"]}
        parameter["example"] = "start.js"
    else:
        parameter["schema"] = {"type": "string", "enum": ["cells.parquet", "codebook.json"]}
        parameter["example"] = "codebook.json"


def _responses(content: dict[str, Any], problems: set[str], *, conditional: bool) -> dict[str, Any]:
    """200, 304 where there is a validator, and each refusal with an example of every problem that it may be."""
    responses: dict[str, Any] = {"200": {"description": "As asked.", "content": content}}
    if conditional:
        responses["304"] = {"description": "The asker has these very bytes."}
    for page in pages():
        if page.name not in problems:
            continue
        response = responses.setdefault(
            str(page.status),
            {"description": "", "content": {PROBLEM_JSON: {"schema": ref("Problem"), "examples": {}}}},
        )
        response["description"] = f"{response['description']} `{page.name}`: {page.title}.".strip()
        example = {"$ref": f"#/components/examples/{page.name}"}
        response["content"][PROBLEM_JSON]["examples"][page.name] = example
    return responses


_OF_RELEASE = {"dataset": "$request.path.dataset", "release": "$response.body#/releases/0/release"}
LINKS: dict[str, Any] = {
    "/v1/codelists": {
        "list": {
            "operationId": "one_v1_codelists__name__get",
            "parameters": {"name": "$response.body#/code_lists/0/name"},
        }
    },
    "/v1/releases/{dataset}": {
        "manifest": {
            "operationId": "manifest_v1_releases__dataset___release__get",
            "parameters": _OF_RELEASE,
        },
        "citation": {
            "operationId": "of_release_v1_releases__dataset___release__citation_get",
            "parameters": _OF_RELEASE,
        },
    },
}
"""Where an answer leads."""
