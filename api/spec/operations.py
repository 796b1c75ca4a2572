"""Operations that take no question: what each responds with, if it is not a JSON object, and its own problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from api.http.body import JsonBody
from api.http.media import FORMATS
from api.http.problems import slug
from api.http.responses import header_references
from api.http.router import declared_refusals
from api.spec.bodies import request_body
from api.spec.headers import ON_EVERY_RESPONSE
from api.spec.parameters import METADATA_PARAMETERS
from api.spec.path_parameters import describe_path_parameter
from api.spec.responses import BINARY, CITATIONS, JSON, TOKEN_PROBLEMS, add_problems, media_content, responses

COMMON_PROBLEMS = {
    "malformed", "unknown-parameter", "repeated-parameter", "too-long", "too-many-requests", "internal-server-error",
}  # fmt: skip
"""Problems of every operation."""
RELEASE_PROBLEMS = {
    "unknown-dataset", "unknown-release", "release-withdrawn", "release-damaged", "release-unavailable",
}  # fmt: skip
REPORT_PROBLEMS = frozenset(
    {
        "out-of-scope", "quota-spent", "not-acceptable", "malformed-period", "malformed-question", "report-not-covered",
        "release-withdrawn", "release-damaged", "release-unavailable", "question-interrupted", "too-busy", "mixed-versions",
    }
)  # fmt: skip
CHANGE_PROBLEMS = frozenset({"registry-unavailable", "key-unusable", "chain-broken"})
"""Problems of what writes to the registry."""
ADMIN_PROBLEMS = CHANGE_PROBLEMS | {
    "malformed-value", "not-allowed", "unknown-record", "role-too-small", "too-large", "not-found",
}  # fmt: skip
PAGE_OR_JSON = media_content(JSON, "text/html")
FEEDS = media_content(JSON, "application/atom+xml")
FILE = media_content(FORMATS["parquet"], JSON)


@dataclass(frozen=True)
class OperationResponse:
    """What an operation responds with: content by media type, and the problems that not every operation has."""

    content: dict[str, Any] = field(default_factory=lambda: media_content(JSON))
    problems: frozenset[str] = frozenset()
    token: bool = False
    status: str = "200"
    conditional: bool = True
    """Whether the response has an ETag, so that 304 is possible."""
    further: dict[str, Any] = field(default_factory=dict)
    """Further responses by status."""


RESPONSES = {
    "/v1/datasets": OperationResponse(PAGE_OR_JSON),
    "/v1/datasets/{dataset}": OperationResponse(PAGE_OR_JSON),
    "/v1/datasets/{dataset}/codebook": OperationResponse(media_content(JSON, "text/csv", "text/markdown")),
    "/v1/codelists/{name}": OperationResponse(problems=frozenset({"unknown-code-list"})),
    "/v1/changelog": OperationResponse(FEEDS),
    "/v1/errata": OperationResponse(FEEDS),
    "/v1/ledger": OperationResponse(problems=frozenset({"release-damaged"})),
    "/v1/releases/{dataset}/{release}/citation": OperationResponse(CITATIONS),
    "/v1/releases/{dataset}/{release}/files/{name}": OperationResponse(
        FILE,
        frozenset({"out-of-scope", "quota-spent", "unknown-file", "range-not-satisfiable"}),
        token=True,
        further={
            "206": {
                "description": "The requested ranges.",
                "content": {**FILE, "multipart/byteranges": {"schema": BINARY}},
            }
        },
    ),
    "/v1/projects": OperationResponse(problems=frozenset({"registry-unavailable"})),
    "/v1/me": OperationResponse(token=True, conditional=False),
    "/v1/me/usage": OperationResponse(token=True, conditional=False),
    "/v1/me/tokens/rotate": OperationResponse(
        problems=CHANGE_PROBLEMS | {"malformed-value", "not-allowed"},
        token=True,
        status="201",
        conditional=False,
    ),
    "/v1/me/tokens/current": OperationResponse(
        {}, CHANGE_PROBLEMS, token=True, status="204", conditional=False
    ),
    "/v1/tokens/revoke": OperationResponse(
        {}, CHANGE_PROBLEMS | {"too-many-attempts"}, status="204", conditional=False
    ),
    "/v1/reports": OperationResponse(problems=frozenset({"out-of-scope", "quota-spent"}), token=True),
    "/v1/reports/{period}": OperationResponse(
        media_content(JSON, "text/csv", "text/html"), REPORT_PROBLEMS, token=True
    ),
    "/v1/reports/{period}/{part}": OperationResponse(
        media_content("text/csv", JSON), REPORT_PROBLEMS | {"unknown-part"}, token=True
    ),
    "/v1/admin/audit": OperationResponse(
        media_content(FORMATS["ndjson"]), ADMIN_PROBLEMS, token=True, conditional=False
    ),
    "/problems/{name}": OperationResponse(PAGE_OR_JSON, frozenset({"not-found"})),
    "/docs": OperationResponse(media_content("text/html")),
    "/docs/{name}": OperationResponse(
        media_content("text/javascript", "text/css", "image/png"), frozenset({"not-found"})
    ),
    "/.well-known/jwks.json": OperationResponse(problems=frozenset({"registry-unavailable"})),
    "/metrics": OperationResponse(media_content("text/plain"), conditional=False),
    "/readyz": OperationResponse(
        problems=frozenset({"registry-unavailable"}), conditional=False, further={"503": {"content": media_content(JSON)}}
    ),
}  # fmt: skip
"""By path. An operation that is not named here responds with a JSON object, that of an admin as in ADMIN."""
ADMIN = OperationResponse(problems=ADMIN_PROBLEMS, token=True, conditional=False)
ANSWERED_LATER = {
    ("/v1/admin/applications/{name}/approve", "post"),
    ("/v1/admin/projects/{name}", "patch"),
    ("/v1/admin/releases/{dataset}/{release}/withdraw", "post"),
}
"""Operations that respond with 202 if the change does not take effect yet: another person must consent, or the host that
builds releases must act."""
_FIRST_RELEASE = {"dataset": "$request.path.dataset", "release": "$response.body#/releases/0/release"}
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
            "parameters": _FIRST_RELEASE,
        },
        "citation": {
            "operationId": "of_release_v1_releases__dataset___release__citation_get",
            "parameters": _FIRST_RELEASE,
        },
    },
}
"""By path: operations that take a value from its response."""


@dataclass(frozen=True)
class Operation:
    """A method of a path, and the functions that it calls: its handler and its dependencies."""

    path: str
    method: str
    calls: tuple[object, ...]
    described: bool
    """Whether the return annotation of the handler names its responses."""

    @property
    def body(self) -> JsonBody[Any] | None:
        """The body that it parses, if it parses one."""
        return next((call for call in self.calls if isinstance(call, JsonBody)), None)

    @cached_property
    def problems(self) -> set[str]:
        """The names of the problems that it may have."""
        kinds = [kind for call in self.calls for kind in declared_refusals(call)]
        return COMMON_PROBLEMS | {kind if isinstance(kind, str) else slug(kind) for kind in kinds}


def complete_operation(operation: Operation, generated: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's description of an operation, completed with its problems, its body and examples of its parameters."""
    path, body = operation.path, operation.body
    if body and "requestBody" not in generated:
        generated["requestBody"] = request_body(body)
    for parameter in generated.get("parameters", []):
        if parameter["in"] == "path":
            describe_path_parameter(parameter, path)
    if not operation.described:
        return _complete_by_table(generated, path, operation.method)
    generated["responses"].pop("422", None)  # of FastAPI, whose answer api.errors replaces
    for response in generated["responses"].values():
        response["headers"] = header_references(ON_EVERY_RESPONSE) | response.get("headers", {})
    problems = set(operation.problems)
    if any(parameter["in"] == "query" for parameter in generated.get("parameters", [])):
        problems.add("malformed-question")
    add_problems(generated["responses"], problems)
    return generated


def _complete_by_table(operation: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    shape = RESPONSES.get(path) or (ADMIN if path.startswith("/v1/admin") else OperationResponse())
    operation["responses"] = _responses(shape, path, method)
    if path in METADATA_PARAMETERS:
        operation.setdefault("parameters", []).append(METADATA_PARAMETERS[path])
    return operation


def _responses(shape: OperationResponse, path: str, method: str) -> dict[str, Any]:
    problems = _problems_of(path) | shape.problems | (TOKEN_PROBLEMS if shape.token else set())
    found = responses(shape.content, problems, conditional=shape.conditional)
    found[shape.status] = found.pop("200")
    if (path, method) in ANSWERED_LATER:
        found["202"] = {
            "description": "Recorded. It takes effect when another person agrees or, for a withdrawal, when "
            "`daylight release withdraw` is run.",
            "content": media_content(JSON),
        }
    for status, response in shape.further.items():
        known = found.get(status, {"content": {}})
        found[status] = {**known, **response, "content": known["content"] | response["content"]}
    if path in LINKS:
        found["200"]["links"] = LINKS[path]
    return found


def _problems_of(path: str) -> set[str]:
    """What may be wrong with a request, by the parameters in its path and query."""
    found = set(COMMON_PROBLEMS)
    if "{dataset}" in path:
        found |= {"unknown-dataset"}
    if "{release}" in path:
        found |= RELEASE_PROBLEMS
    if path in METADATA_PARAMETERS:
        found |= {"malformed-question"}
    return found
