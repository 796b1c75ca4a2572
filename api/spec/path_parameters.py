"""Examples of parameters in a path."""

from __future__ import annotations

from typing import Any

from fastapi import Path

from datasets.catalogue import DATASETS


def example(value: str) -> Any:
    """An example of a path parameter, for a route to declare: `name: Annotated[str, example("EX-1")]`."""
    return Path(examples=[value])


def move_example(parameter: dict[str, Any]) -> None:
    """Move the example from the schema to the parameter, where tools that call the API by its examples look for it."""
    if "examples" in parameter["schema"]:
        parameter["example"] = parameter["schema"].pop("examples")[0]
    else:
        parameter["schema"], parameter["example"] = _BY_NAME[parameter["name"]]


_BY_NAME = {
    "dataset": ({"type": "string", "enum": [dataset.name for dataset in DATASETS]}, "moderation"),
    "release": ({"type": "string", "pattern": r"^(latest|\d{4}-\d{2}\.[1-9]\d{0,3})$"}, "latest"),
}
