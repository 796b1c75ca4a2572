"""The parameters in a path: what may stand there, and an example that exists. Admin routes declare their own examples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import Path

from api.render.swagger import ASSETS
from api.spec.problems import problem_types
from datasets.catalogue import DATASETS, code_lists
from datasets.reports.official.parts import PARTS


def example(value: str) -> Any:
    """An example of a path parameter, for a route to declare: `name: Annotated[str, example("EX-1")]`."""
    return Path(examples=[value])


def describe_path_parameter(parameter: dict[str, Any], path: str) -> None:
    """Give a path parameter its values and an example.

    FastAPI puts an example that the route declares into the schema; here it moves to the parameter, where tools that call
    the API by its examples look for it.
    """
    if "examples" in parameter["schema"]:
        parameter["example"] = parameter["schema"].pop("examples")[0]
    else:
        known = BY_PATH.get(path) or BY_NAME[parameter["name"]]
        parameter["schema"], parameter["example"] = known


def _enumeration(values: Iterable[str], example: str) -> tuple[dict[str, Any], str]:
    return {"type": "string", "enum": list(values)}, example


def _pattern(pattern: str, example: str) -> tuple[dict[str, Any], str]:
    return {"type": "string", "pattern": pattern}, example


_RELEASE = _pattern(r"^(latest|\d{4}-\d{2}\.[1-9]\d{0,3})$", "latest")
BY_NAME = {
    "dataset": _enumeration([dataset.name for dataset in DATASETS], "moderation"),
    "release": _RELEASE,
    "other": _RELEASE,
    "period": _pattern(r"^\d{4}-(0[1-9]|1[0-2]|Q[1-4]|H[12])$", "2026-06"),
    "part": _enumeration(PARTS, "4_notices"),
    "name": _enumeration(["cells.parquet", "codebook.json"], "codebook.json"),
}
"""The schema and the example of a parameter with this name, in every path."""
BY_PATH = {
    "/v1/codelists/{name}": _enumeration(sorted(code_lists()), "category"),
    "/problems/{name}": _enumeration([kind.name for kind in problem_types()], "unknown-code"),
    "/docs/{name}": _enumeration(ASSETS, "start.js"),
}
"""Paths whose only parameter is a name of their own."""
