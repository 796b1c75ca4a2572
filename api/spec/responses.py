"""Responses in the description: the content of a success by media type, and the problems by status."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from api.http.problems import PROBLEM_JSON
from api.http.responses import header_references
from api.spec.headers import ON_STATUS
from api.spec.problems import problem_types

JSON = "application/json"
OBJECT, TEXT = {"type": "object"}, {"type": "string"}
BINARY = {"type": "string", "contentEncoding": "binary"}
TOKEN_PROBLEMS = {"token-missing", "token-refused", "too-many-attempts", "registry-unavailable"}
"""Problems of every operation that needs a token."""


def media_content(*names: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """The content of a response by media type: JSON with a schema, other text as strings, the rest as bytes."""
    found: dict[str, Any] = {}
    for name in (name.split(";")[0] for name in names):
        other = BINARY if "vnd.apache" in name or name.startswith("image/") else TEXT
        found[name] = {
            "schema": (schema or OBJECT) if name.endswith("json") and "x-ndjson" not in name else other
        }
    return found


def responses(content: dict[str, Any], problems: AbstractSet[str], *, conditional: bool) -> dict[str, Any]:
    """200, 304 if the operation has an ETag, and for each status of a problem an example of every problem with it."""
    found: dict[str, Any] = {"200": {"description": "Success.", "content": content}}
    if conditional:
        found["304"] = {"description": "Not modified: the client has this answer already (If-None-Match)."}
    add_problems(found, problems)
    return found


def add_problems(found: dict[str, Any], problems: AbstractSet[str]) -> None:
    """Add for each status of these problems an example of every problem with it."""
    for kind in problem_types():
        if kind.name not in problems:
            continue
        response = found.setdefault(str(kind.status), {"description": ""})
        response["description"] = f"{response['description']} `{kind.name}`: {kind.title}.".strip()
        if fields := ON_STATUS.get(str(kind.status)):
            response["headers"] = response.get("headers", {}) | header_references(fields)
        media = response.setdefault("content", {}).setdefault(
            PROBLEM_JSON, {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
        )
        media["examples"][kind.name] = {"$ref": f"#/components/examples/{kind.name}"}
