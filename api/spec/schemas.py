"""The JSON Schemas (2020-12) of problems, answers and plans."""

from __future__ import annotations

from typing import Any, get_args

from api.http.problems import Problem
from datasets.release.answer.table import ColumnType
from datasets.release.format.status import STATUS

TEXT: dict[str, Any] = {"type": "string"}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
NUMBER: dict[str, Any] = {"type": "number"}
NUMBER_OR_NULL: dict[str, Any] = {"type": ["number", "null"]}


def array_of(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def object_of(members: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An object that requires these members and may have others."""
    return {"type": "object", "required": list(members), "properties": members, **more}


PAGE = object_of(
    {
        "returned": COUNT,
        "total": COUNT,
        "truncated": {"type": "boolean"},
        "next": {"type": ["string", "null"]},
    }
)
_SHARE = {"share": NUMBER_OR_NULL, "lo": NUMBER_OR_NULL, "hi": NUMBER_OR_NULL}
KEPT_SHARE = {
    "anyOf": [
        {"type": "null"},
        object_of(
            {
                "against_rows_per_unit": COUNT,
                **_SHARE,
                "by": {
                    "type": "object",
                    "description": "The same for each code that is grouped or filtered by, at the first level.",
                    "additionalProperties": {"type": "object", "additionalProperties": object_of(_SHARE)},
                },
            }
        ),
    ]
}
_BOUNDED = {"rows_per_unit": {"type": ["integer", "null"]}, "kept": KEPT_SHARE}
ANSWER = object_of(
    {
        "dataset": TEXT,
        "releases": array_of(TEXT),
        "query": {
            "type": "string",
            "description": "The question in canonical form: two spellings of one question have the same.",
        },
        "query_id": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
        "cuboid": {"type": "object", "additionalProperties": TEXT},
        "uncertainty": object_of(
            {"mechanism": TEXT, "confidence": NUMBER, "covers": TEXT, "status": {"type": "object"}}
        ),
        "bounding": {
            "type": "object",
            "additionalProperties": object_of(
                {
                    **_BOUNDED,
                    "earlier": {
                        "type": "object",
                        "description": "The same for each earlier release that is read, by its name.",
                        "additionalProperties": object_of(_BOUNDED),
                    },
                }
            ),
        },
        "page": PAGE,
        "warnings": array_of(TEXT),
        "columns": array_of(object_of({"name": TEXT, "type": {"enum": list(get_args(ColumnType))}})),
        "data": array_of(
            {
                "type": "object",
                "description": "Codes, and for each measure its value, standard error, interval and status: "
                + "; ".join(f"{status}: {meaning}" for status, meaning in STATUS.items()),
                "required": ["period"],
                "additionalProperties": {"type": ["string", "number", "null"]},
            }
        ),
    },
    additionalProperties=False,
)
_EXPECTED = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["cuboid"],
        "properties": {"cuboid": TEXT, "standard_error": object_of({"least": NUMBER, "most": NUMBER})},
    },
}
PLAN = object_of(
    {
        "dataset": TEXT,
        "releases": array_of(TEXT),
        "query": TEXT,
        "query_id": TEXT,
        "rows": COUNT,
        "measures": _EXPECTED,
        "quota": object_of({"rows": COUNT, "bytes": COUNT, "charged_for_this_plan": COUNT}),
        "neighbours": array_of(
            object_of({"change": TEXT, "query": TEXT, "rows": COUNT, "measures": _EXPECTED})
        ),
    },
    additionalProperties=False,
)
SCHEMAS = {"Problem": Problem.model_json_schema(mode="serialization"), "Answer": ANSWER, "Plan": PLAN}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
