"""The OpenAPI 3.1 description of the API, generated from the routes, the declared datasets and the table of problems."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.spec.operations import complete_operation
from api.spec.parameters import query_parameters
from api.spec.problems import problem_types
from api.spec.questions import QUESTIONS, question_operation
from api.spec.schemas import SCHEMAS
from datasets.catalogue import DATASETS

DESCRIPTION = (
    "Anonymised aggregates on ads, recommendations and moderation actions for vetted researchers. Every number has its exact "
    "standard error. Questions spend no privacy budget, and the same question has the same answer for everybody."
)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application.

    The parameters of a question depend on its dataset, so a path that takes questions is described once for each dataset.
    """
    document = get_openapi(title="Daylight", version="1", description=DESCRIPTION, routes=app.routes)
    paths: dict[str, Any] = {}
    for path, operations in document["paths"].items():
        if path in QUESTIONS:
            paths |= _paths_per_dataset(path, operations)
        else:
            paths[path] = {
                method: complete_operation(operation, path, method)
                for method, operation in operations.items()
            }
    return {**document, "components": _components(), "paths": paths}


def _paths_per_dataset(path: str, operations: dict[str, Any]) -> dict[str, Any]:
    return {
        path.replace("{dataset}", dataset.name): {
            method: question_operation(operation, path, method, dataset)
            for method, operation in orjson.loads(orjson.dumps(operations)).items()  # a copy for each dataset
        }
        for dataset in DATASETS
    }


def _components() -> dict[str, Any]:
    return {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "session": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        },
        "schemas": SCHEMAS,
        "parameters": {
            f"{dataset.name}.{parameter['name']}": parameter
            for dataset in DATASETS
            for parameter in query_parameters(dataset)
        },
        "examples": {kind.name: {"summary": kind.title, "value": kind.example} for kind in problem_types()},
    }
