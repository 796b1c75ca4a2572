"""Reports on the commitments, and their parts in the official form, as JSON."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from api.http.document import Document
from datasets.reports.commitment import Unit

Amount: TypeAlias = int | float | None
"""A number without noise may be whole. Null if there is no number."""


class CoverageDocument(Document):
    """What the releases of a dataset cover of a period, also as a sentence."""

    dataset: str
    complete: bool
    months: list[str]
    missing: list[str]
    releases: list[str]
    sentence: str


class ReportChange(Document):
    """The difference from the period before, or why there is none."""

    against: str
    value: Amount
    se: Amount
    lo: Amount
    hi: Amount
    status: str
    sentence: str


class TrendPoint(Document):
    """The number of one month."""

    period: str
    value: Amount
    se: Amount
    lo: Amount
    hi: Amount
    status: str


class BreakdownPart(Document):
    """The number of one code."""

    code: str
    label: str
    value: Amount
    se: Amount
    lo: Amount
    hi: Amount
    status: str


class Breakdown(Document):
    """The number of each code of a level."""

    level: str
    parts: list[BreakdownPart]


class FactFinding(Document):
    """An exact number from the manifests."""

    name: str
    title: str
    law: str
    unit: Unit
    value: Amount
    se: Amount
    lo: Amount
    hi: Amount
    status: str
    note: str


class IndicatorFinding(FactFinding):
    """A number from the releases: the question that it answers, its change, its trend, and its parts by a level."""

    dataset: str
    question: str
    releases: list[str]
    change: ReportChange | None
    trend: list[TrendPoint]
    by: Breakdown | None


class CommitmentFindings(Document):
    """One of the ten topics of the commitments: its indicators, and what the datasets do not contain."""

    number: int
    name: str
    title: str
    promise: str
    law: str
    indicators: list[IndicatorFinding | FactFinding]
    gaps: list[str]


class ReportDocument(Document):
    """The report of a period."""

    period: str
    kind: str
    dates: str
    confidence: float
    covers: str
    status: Annotated[dict[str, str], Field(description="What each status means.")]
    coverage: list[CoverageDocument]
    warnings: list[str]
    commitments: list[CommitmentFindings]


class PartCell(Document):
    """A cell of the official form: as printed, and the estimate from the releases."""

    row: list[str]
    column: str
    printed: Amount
    value: Amount
    se: Amount
    lo: Amount
    hi: Amount
    status: str


class PartDocument(Document):
    """A part of the harmonised transparency report."""

    part: str
    title: str
    period: str
    dates: str
    coverage: CoverageDocument
    notes: list[str]
    columns: list[str]
    cells: list[PartCell]


class ReportablePeriod(Document):
    """A period with a report, and what each dataset covers of it."""

    period: str
    kind: Literal["month", "quarter", "half-year"]
    dates: str
    coverage: list[CoverageDocument]
    report: str
    parts: list[str]


class CommitmentName(Document):
    """The name of one of the ten topics of the commitments."""

    number: int
    name: str
    title: str


class ReportList(Document):
    """Every period with a report, and the commitments."""

    periods: list[ReportablePeriod]
    commitments: list[CommitmentName]
