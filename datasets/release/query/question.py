"""A parsed question, its canonical spelling and its identifier."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from urllib.parse import quote

from datasets.period import Month
from datasets.release.format.status import CONFIDENCE
from datasets.release.query.instant import format_instant
from datasets.release.query.span import RowPeriod, Span
from datasets.release.query.vocabulary import LABELS, PERIOD, SHAPES

Codes = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeSubset:
    """Some codes of a level: the part of the whole whose share is asked for."""

    level: str
    codes: Codes

    def __str__(self) -> str:
        return f"{self.level}:{','.join(self.codes)}"


@dataclass(frozen=True, slots=True)
class CodeComparison:
    """The difference between two codes of a level: the first minus the second."""

    level: str
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.level}:{self.left},{self.right}"


@dataclass(frozen=True, slots=True)
class PeriodComparison:
    """The difference between two periods: the first minus the second."""

    left: Span
    right: Span

    def __str__(self) -> str:
        return f"{PERIOD}:{self.left},{self.right}"


@dataclass(frozen=True)
class Question:
    """Measures, groups and filters of one dataset over a span of time, and how the answer is written.

    `as_of` is the instant whose current releases are asked; `cursor` tells where the page before ended.
    """

    dataset: str
    measures: tuple[str, ...]
    group_by: tuple[str, ...]
    filters: tuple[tuple[str, Codes], ...]
    span: Span
    ratios: tuple[tuple[str, str], ...] = ()
    share: CodeSubset | None = None
    compare: CodeComparison | PeriodComparison | None = None
    release: str | None = None
    as_of: datetime | None = None
    confidence: float = CONFIDENCE
    labels: str = LABELS[0]
    shape: str = SHAPES[0]
    sort: tuple[str, ...] = ()
    limit: int | None = None
    cursor: str | None = None

    @property
    def periods(self) -> tuple[RowPeriod, ...]:
        """The periods of the rows, in order."""
        if isinstance(self.compare, PeriodComparison):
            label = f"{self.compare.left},{self.compare.right}"
            return (RowPeriod(label, tuple(self.compare.left.by_month())),)
        return self.span.periods

    @property
    def months(self) -> tuple[Month, ...]:
        """The months that are asked about, in order."""
        if isinstance(self.compare, PeriodComparison):
            return tuple(sorted({*self.compare.left.months, *self.compare.right.months}))
        return self.span.months

    @property
    def is_by_day(self) -> bool:
        return self.span.freq == "day" and not isinstance(self.compare, PeriodComparison)

    def canonical(self) -> str:
        """The question in its canonical spelling: without defaults, values in the order of the code lists.

        Parsing it gives the same question again; equal questions have equal canonical spellings.
        """
        return self._canonical

    @cached_property
    def _canonical(self) -> str:
        parts = [("measure", self.measures), ("group_by", self.group_by), *self.filters]
        parts += [("ratio", tuple(f"{n}/{d}" for n, d in self.ratios))]
        parts += [("share", (str(self.share),) if self.share else ())]
        parts += [("compare", (str(self.compare),) if self.compare else ())]
        if not isinstance(self.compare, PeriodComparison):
            parts += [("period", (str(self.span),)), ("freq", (self.span.freq,) if self.span.freq else ())]
        parts += [("release", (self.release,) if self.release else ())]
        parts += [("as_of", (format_instant(self.as_of),) if self.as_of else ())]
        parts += [("confidence", (str(self.confidence),) if self.confidence != CONFIDENCE else ())]
        parts += [("labels", (self.labels,) if self.labels != LABELS[0] else ())]
        parts += [("shape", (self.shape,) if self.shape != SHAPES[0] else ())]
        parts += [("sort", self.sort), ("limit", (str(self.limit),) if self.limit else ())]
        return "&".join(
            f"{name}={quote(','.join(values), safe=',.+-:/')}" for name, values in parts if values
        )

    def id(self, releases: Sequence[str]) -> str:
        """An identifier of this question asked of these releases: 16 hexadecimal digits."""
        text = f"{self.dataset}?{self.canonical()}@{','.join(releases)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def id_of_pages(self, releases: Sequence[str]) -> str:
        """The identifier that all pages of an answer share, whatever their length."""
        return replace(self, limit=None, cursor=None).id(releases)
