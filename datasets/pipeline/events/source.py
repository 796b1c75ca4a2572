"""The description of where a month of raw events comes from (`source.json`); it is published."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from datasets.definition import Dataset
from datasets.refusal import Refusal, did_you_mean, printable

SOURCE_FILE = "source.json"
FORMATS = ("synthetic", "statements-of-reasons", "open-bandit", "table")

_MAX_SOURCE_BYTES = 1 << 20


class UnreadableSource(Refusal):
    """The `source.json` of a month is missing, malformed or describes another dataset."""


class EventSource(BaseModel):
    """The description of the events of one month. It is copied into the public manifest, so it must not contain a count
    or anything that depends on a single row."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    format: str = Field(pattern="^(" + "|".join(FORMATS) + ")$")
    schema_name: str = Field(alias="schema", max_length=200)
    """The layout of what was read, for example "statements of reasons, in force since 2025-07-01"."""
    unit: str = Field(max_length=500)
    """A sentence that says what the privacy unit is in this source."""
    not_collected: tuple[str, ...] = ()
    """Levels without a counterpart in the source: all events have the code for "unknown"."""
    not_collected_values: tuple[str, ...] = ()
    """Values without a counterpart in the source: all events have the value's `absent`."""
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        return json.dumps(self.model_dump(by_alias=True), indent=2, ensure_ascii=False) + "\n"

    def write(self, folder: Path) -> None:
        (folder / SOURCE_FILE).write_text(self.text(), encoding="utf-8")


def read_source(folder: Path, dataset: Dataset) -> EventSource:
    """The source of the events in `folder`. Raises UnreadableSource."""
    path = folder / SOURCE_FILE
    if path.is_symlink() or not path.is_file():
        raise UnreadableSource(
            f"{path} is missing; it describes where the events come from, and every import writes it"
        )
    if path.stat().st_size > _MAX_SOURCE_BYTES:
        raise UnreadableSource(
            f"{path} is larger than 1 MiB; it should contain a few sentences about the source of the events"
        )
    try:
        source = EventSource.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise UnreadableSource(
            f"{path} is malformed at {printable(place)}: {printable(first['msg'])}"
        ) from None
    _ensure_known(source.not_collected, [level.name for level in dataset.levels], "level", path, dataset)
    _ensure_known(
        source.not_collected_values, [value.name for value in dataset.values], "value", path, dataset
    )
    return source


def _ensure_known(names: tuple[str, ...], known: list[str], what: str, path: Path, dataset: Dataset) -> None:
    for name in names:
        if name not in known:
            raise UnreadableSource(
                f"{path} says that {printable(name)!r} is not collected, but it is not a {what} of {dataset.name}."
                + did_you_mean(name, known)
            )
