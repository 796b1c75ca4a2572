"""The description of the API (OpenAPI 3.1): generated, completed by hand where a question is open-ended."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from api.bodies import EXAMPLE as EXAMPLE_BODY
from api.codebooks import CODEBOOK
from api.errors import PROBLEM_JSON, STATUS, slug, title
from api.formats import FORMATS
from api.responses import json_response
from datasets.catalogue import DATASETS, code_lists
from datasets.release.query.span import FREQUENCIES
from datasets.release.query.words import LABELS

router = APIRouter(tags=["service"])

DESCRIPTION = (
    "Anonymised aggregates on ads, recommendations and moderation actions for vetted researchers. Every number carries its "
    "exact standard error, every question is free, and the same question has the same answer for everybody."
)
AGGREGATES = "/v1/datasets/{dataset}/aggregates"
PLAN = "/v1/datasets/{dataset}/plan"
FILES = "/v1/releases/{dataset}/{release}/files/{name}"


@router.get("/openapi.json", summary="This description")
async def openapi_json(request: Request) -> Response:
    """OpenAPI 3.1."""
    return json_response(request, description(request.app))


def description(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application."""
    document = get_openapi(title="Daylight", version="1", description=DESCRIPTION, routes=app.routes)
    document["components"] = {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        "schemas": {"Problem": PROBLEM},
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, path)
            if method == "post":
                _by_body(operation)
    return document


def _complete(operation: dict[str, Any], path: str) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    responses["200"] = {
        "description": "As asked.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    responses["304"] = {"description": "The asker has these very bytes."}
    statuses = {429: "More requests than the limit allows", 500: "A fault of ours"}
    if "{dataset}" in path or "{name}" in path:
        statuses[404] = "Unknown dataset, code list, release or problem"
    if path == FILES:
        statuses |= {s: words for s, words in _refusals().items() if s in {401, 403, 404, 416, 503}}
        operation["security"] = [{"token": []}]
        binary = {FORMATS["parquet"]: {"schema": {"type": "string", "contentEncoding": "binary"}}}
        responses["200"]["content"] = binary
        responses["206"] = {"description": "The ranges asked for.", "content": binary}
    if path in {AGGREGATES, PLAN}:
        statuses |= {status: words for status, words in _refusals().items() if status not in {413, 416}}
        operation["security"] = [{"token": []}]
        operation["parameters"] = [p for p in operation.get("parameters", []) if p["in"] == "path"] + QUESTION
    if path == AGGREGATES:
        responses["200"]["content"] = {
            "application/json": {"schema": {"type": "object"}, "example": EXAMPLE},
            FORMATS["ndjson"]: {"schema": {"type": "string"}},
            FORMATS["csv"].split(";")[0]: {"schema": {"type": "string"}},
            FORMATS["parquet"]: {"schema": {"type": "string", "contentEncoding": "binary"}},
            FORMATS["arrow"]: {"schema": {"type": "string", "contentEncoding": "binary"}},
        }
    if path in METADATA:
        operation.setdefault("parameters", []).append(METADATA[path])
    if path not in {AGGREGATES, PLAN, FILES}:
        statuses[422] = _refusals()[422]
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "dataset":
            parameter["schema"] = {"type": "string", "enum": [dataset.name for dataset in DATASETS]}
        if parameter["name"] == "name" and "codelists" in path:
            parameter["schema"] = {"type": "string", "enum": sorted(code_lists())}
    for status, words in sorted(statuses.items()):
        content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[str(status)] = {"description": words, "content": content}


def _by_body(operation: dict[str, Any]) -> None:
    """What a question in a body has, and does not have, of one in the address."""
    words = {parameter["name"]: {"description": parameter["description"]} for parameter in QUESTION[:-1]}
    several = {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "number"}]
    }
    schema = {"type": "object", "required": ["measure"], "properties": words, "additionalProperties": several}
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": orjson.loads(EXAMPLE_BODY)}},
    }
    operation["parameters"] = [p for p in operation["parameters"] if p["in"] == "path"]
    for status in ("304", "414"):
        operation["responses"].pop(status)
    operation["responses"]["413"] = {**operation["responses"]["400"], "description": _refusals()[413]}


def _refusals() -> dict[int, str]:
    by_status: dict[int, list[str]] = {}
    for kind, status in STATUS.items():
        by_status.setdefault(status, []).append(f"`{slug(kind)}`: {title(kind)}.")
    return {status: " ".join(words) for status, words in by_status.items()}


def _query(name: str, words: str, example: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name, "in": "query", "description": words, "required": name == "measure",
        "schema": {"type": "string", **schema}, "example": example,
    }  # fmt: skip


_LEVELS = sorted({level.name for dataset in DATASETS for level in dataset.levels if level.name != "day"})
QUESTION = [
    _query("measure", "Measures, with commas between.", "actions,accounts"),
    _query("group_by", "Levels to group by, and `period`; at most four levels.", "category"),
    _query("period", "A month, a day, or a range of either; the latest month by default.", "2026-06"),
    _query(
        "freq",
        "One row per day, ISO week, month or quarter; without it, one sum over the period.",
        "month",
        enum=list(FREQUENCIES),
    ),
    _query("confidence", "What the intervals cover, from 0.5 to 0.9999; 0.95 by default.", "0.95"),
    _query(
        "sort", "Columns to sort by, with commas between; a minus means from the largest down.", "-actions"
    ),
    _query(
        "limit",
        "At most so many rows; `page` says how many there are in all.",
        "10",
        pattern="^[1-9][0-9]{0,5}$",
    ),
    _query("labels", "Codes, their labels, or both in columns of their own.", "both", enum=list(LABELS)),
    _query("release", "A release by name, or `latest`.", "latest"),
    _query(
        "format",
        "The format of the answer; Accept decides where it is not given.",
        "json",
        enum=list(FORMATS),
    ),
    {
        "name": "filters",
        "in": "query",
        "description": "Any level of the dataset by its name, with codes of its list and commas between: "
        "`member_state=DE,FR`; after `ne:` all other codes. The dataset's codebook lists levels and codes.",
        "required": False,
        "style": "form",
        "explode": True,
        "schema": {
            "type": "object",
            "propertyNames": {"enum": _LEVELS},
            "additionalProperties": {"type": "string"},
        },
        "example": {"member_state": "DE,FR"},
    },
]
METADATA = {
    "/v1/datasets/{dataset}/codebook": _query(
        "format", "The format of the codebook.", "json", enum=list(CODEBOOK), default="json"
    ),
    "/v1/codelists/{name}": _query("search", "Only codes whose code or label holds this text.", "trader"),
}
"""What some metadata can be asked."""

PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {
            "type": "string",
            "description": "Names the parameter, the value and what would be right.",
        },
        "instance": {"type": "string"},
        "parameter": {"type": "string"},
        "value": {"type": "string"},
        "allowed": {"type": "array", "items": {"type": "string"}},
        "suggestions": {"type": "array", "items": {"type": "string"}},
        "policy": {"type": "string"},
    },
}
EXAMPLE = {
    "dataset": "moderation",
    "releases": ["2026-06.1"],
    "query": "measure=accounts&group_by=category&period=2026-06",
    "query_id": "0000000000000000",
    "columns": [{"name": "period", "type": "string"}, {"name": "category", "type": "string"}],
    "data": [
        {
            "period": "2026-06",
            "category": "ANIMAL_WELFARE",
            "accounts": 1784.05,
            "accounts_se": 78.4,
            "accounts_lo": 1630.39,
            "accounts_hi": 1937.71,
            "accounts_status": "A",
        }
    ],
}
