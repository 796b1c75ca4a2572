"""Operations in the description: what FastAPI generates, completed with problems, bodies, header fields and examples."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from api.http.body import JsonBody
from api.http.problems import PROBLEM_JSON, slug
from api.http.responses import header_references
from api.http.router import declared_refusals
from api.spec.bodies import request_body
from api.spec.headers import ON_EVERY_RESPONSE, ON_STATUS
from api.spec.problems import problem_types

COMMON_PROBLEMS = {
    "malformed", "unknown-parameter", "repeated-parameter", "too-long", "too-many-requests", "internal-server-error",
}  # fmt: skip
"""Problems of every operation."""


@dataclass(frozen=True)
class Operation:
    """A method of a path, and the functions that it calls: its handler and its dependencies."""

    path: str
    method: str
    calls: tuple[object, ...]

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
    """FastAPI's description of an operation, completed."""
    if operation.body:
        generated["requestBody"] = request_body(operation.body)
    responses, problems = generated["responses"], set(operation.problems)
    responses.pop("422", None)  # of FastAPI, whose answer api.errors replaces
    for response in responses.values():
        response["headers"] = header_references(ON_EVERY_RESPONSE) | response.get("headers", {})
    for parameter in generated.get("parameters", []):
        if parameter.get("in") == "path":
            _move_example(parameter, operation.path)
        elif parameter.get("in") == "query":
            problems.add("malformed-question")
    _add_problems(responses, problems)
    return generated


def _move_example(parameter: dict[str, Any], path: str) -> None:
    """Move the example from the schema to the parameter, where tools that call the API by its examples look for it.

    Raises TypeError if the route declares none.
    """
    if "examples" not in parameter["schema"]:
        raise TypeError(
            f"{path}: {parameter['name']} has no example; declare one, as `example` in api.http.parameters"
        )
    parameter["example"] = parameter["schema"].pop("examples")[0]


def _add_problems(responses: dict[str, Any], problems: AbstractSet[str]) -> None:
    """Add for each status of these problems an example of every problem with it."""
    for kind in problem_types():
        if kind.name not in problems:
            continue
        response = responses.setdefault(str(kind.status), {"description": ""})
        response["description"] = f"{response['description']} `{kind.name}`: {kind.title}.".strip()
        if fields := ON_STATUS.get(str(kind.status)):
            response["headers"] = response.get("headers", {}) | header_references(fields)
        media = response.setdefault("content", {}).setdefault(
            PROBLEM_JSON, {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
        )
        media["examples"][kind.name] = {"$ref": f"#/components/examples/{kind.name}"}
