"""The OpenAPI 3.1 description of the API, generated from the routes, the declared datasets and the table of problems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from api.http.problems import Problem
from api.http.router import calls_of
from api.spec.bodies import body_schemas
from api.spec.headers import header_objects
from api.spec.operations import Operation, complete_operation
from api.spec.parameters import query_parameters
from api.spec.problems import problem_types
from api.spec.questions import QUESTIONS, describe_question
from datasets.catalogue import DATASETS

DESCRIPTION = (
    "Anonymised aggregates on ads, recommendations and moderation actions for vetted researchers. Every number has its exact "
    "standard error. Questions spend no privacy budget, and the same question has the same answer for everybody."
)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application.

    FastAPI describes parameters, models, responses and security; this adds problems, bodies and header fields. The parameters
    of a question depend on its dataset, so a path that takes questions is described once for each dataset.
    """
    document = get_openapi(title="Daylight", version="1", description=DESCRIPTION, routes=app.routes)
    operations = list(_operations(app))
    paths: dict[str, Any] = {}
    for operation in operations:
        generated = document["paths"][operation.path][operation.method]
        for path, completed in _completed(operation, generated):
            paths.setdefault(path, {})[operation.method] = completed
    return {**document, "components": _components(document["components"], operations), "paths": paths}


def _operations(app: FastAPI) -> Iterator[Operation]:
    """Each operation with what it calls, the dependencies under which its router was included first."""
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute):
            for method in sorted(route.methods or ()):
                yield Operation(str(route.path), method.lower(), tuple(calls_of(route.dependant)))


def _completed(operation: Operation, generated: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The paths under which an operation is described, and its description there."""
    path = operation.path
    if path not in QUESTIONS:
        yield path, complete_operation(operation, generated)
        return
    for dataset in DATASETS:
        copy = orjson.loads(orjson.dumps(generated))
        describe_question(copy, path, operation.method, dataset)
        yield path.replace("{dataset}", dataset.name), complete_operation(operation, copy)


def _components(generated: dict[str, Any], operations: Sequence[Operation]) -> dict[str, Any]:
    bodies = [operation.body for operation in operations if operation.body]
    unused = {"HTTPValidationError", "ValidationError"}  # of FastAPI, whose answer api.errors replaces
    models = {name: schema for name, schema in generated["schemas"].items() if name not in unused}
    return {
        "securitySchemes": generated["securitySchemes"],
        "schemas": {
            **models,
            **body_schemas(bodies),
            "Problem": Problem.model_json_schema(mode="serialization"),
        },
        "headers": header_objects(),
        "parameters": {
            f"{dataset.name}.{parameter['name']}": parameter
            for dataset in DATASETS
            for parameter in query_parameters(dataset)
        },
        "examples": {
            kind.name: {"summary": kind.title, "value": kind.example.model_dump()} for kind in problem_types()
        },
    }
