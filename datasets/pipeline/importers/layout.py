"""What a format knows of its files: which dataset, which endings, and how columns become those of a declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from datasets.definition import Dataset
from datasets.pipeline.importers.event_writer import ColumnMapping


@dataclass(frozen=True, slots=True)
class SourceLayout:
    """How the columns of one file are to be read, and what may be published about it: no count, nothing of a row."""

    schema: str
    unit: str
    mapping: ColumnMapping
    notes: tuple[str, ...] = ()


class SourceFormat(Protocol):
    """A kind of source files."""

    @property
    def name(self) -> str: ...

    @property
    def dataset(self) -> str | None:
        """The only dataset it can become; None: any."""

    @property
    def suffixes(self) -> tuple[str, ...]: ...

    @property
    def delimiter(self) -> str: ...

    @property
    def encoding(self) -> str: ...

    def layout(self, dataset: Dataset, file: str, header: tuple[str, ...]) -> SourceLayout:
        """The layout of a file with these columns. Raises UnreadableFile."""
