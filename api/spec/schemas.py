"""The shapes of answers, as JSON Schema (2020-12), for the description of the API."""

from __future__ import annotations

from typing import Any, get_args

from datasets.release.answer.table import ColumnType
from datasets.release.format.status import STATUS

TEXT: dict[str, Any] = {"type": "string"}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
NUMBER: dict[str, Any] = {"type": "number"}
MAYBE: dict[str, Any] = {"type": ["number", "null"]}


def a_list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def an_object(members: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An object that has all these members, and may have others."""
    return {"type": "object", "required": list(members), "properties": members, **more}


PROBLEM = {
    "type": "object",
    "description": "RFC 9457; what each type means is in /problems.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {
            "type": "string",
            "description": "Names the parameter, the value and what would be right.",
        },
        "instance": TEXT,
        "parameter": TEXT,
        "value": TEXT,
        "allowed": a_list(TEXT),
        "suggestions": a_list(TEXT),
        "policy": {"type": "string", "description": "The limit that was met."},
    },
}
PAGE = an_object(
    {
        "returned": COUNT,
        "total": COUNT,
        "truncated": {"type": "boolean"},
        "next": {"type": ["string", "null"]},
    }
)
_SHARE = {"share": MAYBE, "lo": MAYBE, "hi": MAYBE}
KEPT = {
    "anyOf": [
        {"type": "null"},
        an_object(
            {
                "against_rows_per_unit": COUNT,
                **_SHARE,
                "by": {
                    "type": "object",
                    "description": "The same for each code that is grouped or filtered by, of every dimension's first level.",
                    "additionalProperties": {"type": "object", "additionalProperties": an_object(_SHARE)},
                },
            }
        ),
    ]
}
_BOUNDED = {"rows_per_unit": {"type": ["integer", "null"]}, "kept": KEPT}
ANSWER = an_object(
    {
        "dataset": TEXT,
        "releases": a_list(TEXT),
        "query": {"type": "string", "description": "The question in its one canonical spelling."},
        "query_id": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
        "cuboid": {"type": "object", "additionalProperties": TEXT},
        "uncertainty": an_object(
            {"mechanism": TEXT, "confidence": NUMBER, "covers": TEXT, "status": {"type": "object"}}
        ),
        "bounding": {
            "type": "object",
            "additionalProperties": an_object(
                {
                    **_BOUNDED,
                    "earlier": {
                        "type": "object",
                        "description": "The same of each earlier release that is asked, by its name.",
                        "additionalProperties": an_object(_BOUNDED),
                    },
                }
            ),
        },
        "page": PAGE,
        "warnings": a_list(TEXT),
        "columns": a_list(an_object({"name": TEXT, "type": {"enum": list(get_args(ColumnType))}})),
        "data": a_list(
            {
                "type": "object",
                "description": "Codes, and for each number its value, standard error, interval and status: "
                + "; ".join(f"{status}: {meaning}" for status, meaning in STATUS.items()),
                "required": ["period"],
                "additionalProperties": {"type": ["string", "number", "null"]},
            }
        ),
    },
    additionalProperties=False,
)
_PROMISED = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["cuboid"],
        "properties": {"cuboid": TEXT, "standard_error": an_object({"least": NUMBER, "most": NUMBER})},
    },
}
PLAN = an_object(
    {
        "dataset": TEXT,
        "releases": a_list(TEXT),
        "query": TEXT,
        "query_id": TEXT,
        "rows": COUNT,
        "measures": _PROMISED,
        "quota": an_object({"rows": COUNT, "bytes": COUNT, "charged_for_this_plan": COUNT}),
        "neighbours": a_list(
            an_object({"change": TEXT, "query": TEXT, "rows": COUNT, "measures": _PROMISED})
        ),
    },
    additionalProperties=False,
)
SCHEMAS = {"Problem": PROBLEM, "Answer": ANSWER, "Plan": PLAN}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
