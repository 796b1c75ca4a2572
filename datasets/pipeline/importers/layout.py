"""What a source format defines: its dataset, its file suffixes, and how its columns map to those of the declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from datasets.definition import Dataset
from datasets.pipeline.importers.event_writer import ColumnMapping


@dataclass(frozen=True, slots=True)
class SourceLayout:
    """How to read the columns of one file, and its public description, which has no count and nothing from a row."""

    schema: str
    unit: str
    mapping: ColumnMapping
    notes: tuple[str, ...] = ()


class SourceFormat(Protocol):
    """A format of source files."""

    @property
    def name(self) -> str: ...

    @property
    def dataset(self) -> str | None:
        """The only dataset that it can be imported as; None means any."""

    @property
    def suffixes(self) -> tuple[str, ...]: ...

    @property
    def delimiter(self) -> str: ...

    @property
    def encoding(self) -> str: ...

    def layout(self, dataset: Dataset, file: str, header: tuple[str, ...]) -> SourceLayout:
        """The layout of a file with these columns. Raises UnreadableFile."""
