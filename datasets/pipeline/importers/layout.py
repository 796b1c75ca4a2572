"""What a format knows of its files: which dataset, which endings, and how columns become those of a declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from datasets.definition import Dataset
from datasets.pipeline.importers.intake import Mapped


@dataclass(frozen=True, slots=True)
class Layout:
    """How the columns of one file are to be read, and what may be published about it: no count, nothing of a row."""

    schema: str
    unit: str
    mapped: Mapped
    notes: tuple[str, ...] = ()


class Format(Protocol):
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

    def layout(self, dataset: Dataset, file: str, header: tuple[str, ...]) -> Layout:
        """The layout of a file with these columns. Raises UnreadableFile."""
