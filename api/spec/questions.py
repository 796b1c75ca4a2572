"""Operations that answer a question (aggregates, plan, citation), one for each dataset, since its parameters depend on it."""

from __future__ import annotations

from typing import Any

import orjson

from api.http.media import FORMATS
from api.query.body import BODY_EXAMPLE
from api.spec.parameters import METADATA_PARAMETERS, query_parameters
from api.spec.problems import problem_types
from api.spec.responses import CITATIONS, JSON, TOKEN_PROBLEMS, media_content, responses
from api.spec.schemas import ref
from datasets.definition import Dataset

QUESTIONS = {
    "/v1/datasets/{dataset}/aggregates": "aggregates",
    "/v1/datasets/{dataset}/plan": "plan",
    "/v1/datasets/{dataset}/citation": "citation",
}
"""Paths that take a question, and what each gives."""
NOT_OF_QUESTION = {
    "report-not-covered", "unknown-part",
    "unknown-code-list", "unknown-file", "range-not-satisfiable", "too-large", "method-not-allowed", "not-found",
    "malformed-value", "not-allowed", "unknown-record", "role-too-small", "key-unusable", "chain-broken",
}  # fmt: skip
"""Problems that no question has."""


def question_operation(operation: dict[str, Any], path: str, method: str, dataset: Dataset) -> dict[str, Any]:
    """FastAPI's description of an operation, completed for one dataset."""
    kind = QUESTIONS[path]
    operation["operationId"] = f"{method}_{dataset.name}_{kind}"
    operation["summary"] = f"{operation['summary']}: {dataset.title.lower()}"
    operation["parameters"] = [] if method == "post" else _parameters(kind, dataset)
    if method == "post":
        operation["requestBody"] = _body(dataset)
    problems = _problems(kind, method)
    operation["responses"] = responses(_content(kind), problems, conditional=method != "post")
    return operation


def _content(kind: str) -> dict[str, Any]:
    if kind == "aggregates":
        return media_content(*FORMATS.values(), schema=ref("Answer"))
    return CITATIONS if kind == "citation" else media_content(JSON, schema=ref("Plan"))


def _problems(kind: str, method: str) -> set[str]:
    problems = {each.name for each in problem_types()} - NOT_OF_QUESTION
    if kind != "aggregates":
        problems -= {"question-interrupted", "quota-spent", "too-busy"}
    if kind == "citation":
        problems -= TOKEN_PROBLEMS | {"not-acceptable", "out-of-scope"}
    if method == "post":
        problems = problems - {"too-long"} | {"too-large"}
    return problems


def _parameters(kind: str, dataset: Dataset) -> list[dict[str, Any]]:
    """References to the dataset's parameters. A citation has formats of its own."""
    names = [parameter["name"] for parameter in query_parameters(dataset)]
    if kind == "citation":
        names.remove("format")
    found: list[dict[str, Any]] = [
        {"$ref": f"#/components/parameters/{dataset.name}.{name}"} for name in names
    ]
    return found + (
        [METADATA_PARAMETERS["/v1/releases/{dataset}/{release}/citation"]] if kind == "citation" else []
    )


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
