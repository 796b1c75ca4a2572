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
from api.spec.path_parameters import move_example
from api.spec.responses import JSON, TOKEN_PROBLEMS, add_problems, media_content, responses

COMMON_PROBLEMS = {
    "malformed", "unknown-parameter", "repeated-parameter", "too-long", "too-many-requests", "internal-server-error",
}  # fmt: skip
"""Problems of every operation."""
RELEASE_PROBLEMS = {
    "unknown-dataset", "unknown-release", "release-withdrawn", "release-damaged", "release-unavailable",
}  # fmt: skip
CHANGE_PROBLEMS = frozenset({"registry-unavailable", "key-unusable", "chain-broken"})
"""Problems of what writes to the registry."""
ADMIN_PROBLEMS = CHANGE_PROBLEMS | {
    "malformed-value", "not-allowed", "unknown-record", "role-too-small", "too-large", "not-found",
}  # fmt: skip


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
    "/v1/admin/audit": OperationResponse(
        media_content(FORMATS["ndjson"]), ADMIN_PROBLEMS, token=True, conditional=False
    ),
}
ADMIN = OperationResponse(problems=ADMIN_PROBLEMS, token=True, conditional=False)
ANSWERED_LATER = {
    ("/v1/admin/applications/{name}/approve", "post"),
    ("/v1/admin/projects/{name}", "patch"),
    ("/v1/admin/releases/{dataset}/{release}/withdraw", "post"),
}
"""Operations that respond with 202 if the change does not take effect yet: another person must consent, or the host that
builds releases must act."""


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
        if parameter.get("in") == "path":
            move_example(parameter)
    if not operation.described:
        return _complete_by_table(generated, path, operation.method)
    generated["responses"].pop("422", None)  # of FastAPI, whose answer api.errors replaces
    for response in generated["responses"].values():
        response["headers"] = header_references(ON_EVERY_RESPONSE) | response.get("headers", {})
    problems = set(operation.problems)
    if any(parameter.get("in") == "query" for parameter in generated.get("parameters", [])):
        problems.add("malformed-question")
    add_problems(generated["responses"], problems)
    return generated


def _complete_by_table(operation: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    shape = RESPONSES.get(path) or (ADMIN if path.startswith("/v1/admin") else OperationResponse())
    operation["responses"] = _responses(shape, path, method)
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
    return found


def _problems_of(path: str) -> set[str]:
    """What may be wrong with a request, by the parameters in its path and query."""
    found = set(COMMON_PROBLEMS)
    if "{dataset}" in path:
        found |= {"unknown-dataset"}
    if "{release}" in path:
        found |= RELEASE_PROBLEMS
    return found
