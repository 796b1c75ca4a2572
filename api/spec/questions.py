"""Operations that answer a question (aggregates, plan, citation), one for each dataset, since its parameters depend on it."""

from __future__ import annotations

from typing import Any

import orjson

from api.query.body import BODY_EXAMPLE
from api.spec.parameters import query_parameter, query_parameters
from datasets.definition import Dataset

QUESTIONS = {
    "/v1/datasets/{dataset}/aggregates": "aggregates",
    "/v1/datasets/{dataset}/plan": "plan",
    "/v1/datasets/{dataset}/citation": "citation",
}
"""Paths that take a question, and what each gives."""
CITATION_FORMAT = query_parameter("format", "csl or bibtex; csl by default.", "csl", enum=["csl", "bibtex"])


def describe_question(generated: dict[str, Any], path: str, method: str, dataset: Dataset) -> None:
    """Make FastAPI's description of an operation that of one dataset: its name, its parameters and its body."""
    kind = QUESTIONS[path]
    generated["operationId"] = f"{method}_{dataset.name}_{kind}"
    generated["summary"] = f"{generated['summary']}: {dataset.title.lower()}"
    generated["parameters"] = [] if method == "post" else _parameters(kind, dataset)
    if method == "post":
        generated["requestBody"] = _body(dataset)


def _parameters(kind: str, dataset: Dataset) -> list[dict[str, Any]]:
    """References to the dataset's parameters. A citation has formats of its own."""
    names = [parameter["name"] for parameter in query_parameters(dataset)]
    if kind == "citation":
        names.remove("format")
    found: list[dict[str, Any]] = [
        {"$ref": f"#/components/parameters/{dataset.name}.{name}"} for name in names
    ]
    return found + ([CITATION_FORMAT] if kind == "citation" else [])


def _body(dataset: Dataset) -> dict[str, Any]:
    """A question as a JSON object: the same parameters, several values as a list or with commas between."""
    listed = {"type": "array", "items": {"type": "string", "pattern": "^[^,]+$"}, "minItems": 1}
    members = {
        parameter["name"]: {
            "description": parameter["description"],
            "anyOf": [{"type": "string"}, listed, {"type": "number"}],
        }
        for parameter in query_parameters(dataset)
    }
    example = {
        **orjson.loads(BODY_EXAMPLE),
        "measure": [dataset.measures[0].name],
        "group_by": [dataset.levels[0].name],
    }
    schema = {"type": "object", "properties": members, "additionalProperties": False}
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}
