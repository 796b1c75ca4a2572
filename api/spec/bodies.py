"""Bodies of requests in the description: the model and the example of the dependency that parses them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from api.http.body import JsonBody

_REFERENCE = "#/components/schemas/{model}"


def request_body(body: JsonBody[Any]) -> dict[str, Any]:
    """The Request Body Object of OpenAPI."""
    schema = {"$ref": _REFERENCE.format(model=body.model.__name__)}
    return {"required": True, "content": {"application/json": {"schema": schema, "example": body.example}}}


def body_schemas(bodies: Iterable[JsonBody[Any]]) -> dict[str, Any]:
    """The schemas of the models of these bodies, by name."""
    models = dict.fromkeys(body.model for body in bodies)
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=_REFERENCE)
    schemas: dict[str, Any] = found.get("$defs", {})
    return schemas
