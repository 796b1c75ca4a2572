"""A published part set against releases, cell by cell: how many standard errors lie between, and what that says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from datasets.period import Month, parse_day
from datasets.refusal import Refusal
from datasets.release.format.status import CONFIDENCE
from datasets.release.releases import Releases
from datasets.reports.coverage import Coverage, coverage_of
from datasets.reports.finding import Inquiry
from datasets.reports.number import Number
from datasets.reports.official.part import Cell, Filled, Part
from datasets.reports.official.parts import PARTS
from datasets.reports.period import ReportPeriod
from datasets.reports.published.reading import PublishedPart
from datasets.reports.published.structure import breaches
from datasets.reports.report import current_of

Verdict = Literal["agrees", "differs", "not reported", "not in the release", "lost in noise"]


class NothingToCompare(Refusal):
    """A published part whose period no release covers."""


@dataclass(frozen=True)
class Comparison:
    """One cell: what was published, what the releases say, and how many standard errors lie between them."""

    cell: Cell
    reported: float | None
    released: Number | None
    verdict: Verdict
    apart: float | None = None


@dataclass(frozen=True)
class Reconciliation:
    """A published part and all of its comparisons. `same_period` is whether both are about the same days."""

    part: PublishedPart
    coverage: Coverage
    comparisons: tuple[Comparison, ...]
    breaches: tuple[str, ...]
    bounding: str

    @property
    def same_period(self) -> bool:
        return self.part.periods == (self.coverage.period.dates,) and self.coverage.is_complete

    @property
    def verdicts(self) -> Counter[str]:
        return Counter(each.verdict for each in self.comparisons)

    def sentences(self) -> Iterator[str]:
        """What to know before believing a verdict."""
        reported = ", ".join(self.part.periods) or "no period"
        if self.same_period:
            yield f"Both are about {reported}."
        else:
            yield (
                f"The periods differ: the file is about {reported}, the release about {self.coverage.period.dates}. "
                f"{self.coverage.sentence()} A cell that differs may do so for that alone."
            )
        compared = self.verdicts["agrees"] + self.verdicts["differs"]
        chance = (1 - CONFIDENCE) * compared
        yield (
            f"{compared} cells compared, {self.verdicts['differs']} outside their {CONFIDENCE:.0%} interval; noise alone "
            f"would put about {chance:.0f} there."
        )
        yield self.bounding
        yield from PARTS[self.part.template.name].notes


def reconciled(part: PublishedPart, releases: Releases, period: ReportPeriod | None = None) -> Reconciliation:
    """A published part against what is current of its own period, or of another one.

    Raises NothingToCompare where nothing of the period is released.
    """
    current = current_of(releases)
    official = PARTS[part.template.name]
    wanted = period or _period_of(part)
    coverage = coverage_of(official.dataset, wanted, current[official.dataset])
    if not coverage.used:
        months = ", ".join(r.manifest.month for r in current[official.dataset]) or "none"
        raise NothingToCompare(
            f"{part.path.name}: nothing of {official.dataset} is released for {wanted}; released are {months}, and --period "
            "takes another period",
            parameter="period",
            value=str(wanted),
        )
    filled = official.filled(Inquiry(releases, current), coverage)
    return Reconciliation(
        part,
        coverage,
        tuple(_comparisons(part, filled)),
        tuple(breaches(part)),
        _bounding(official, coverage),
    )


def _comparisons(part: PublishedPart, filled: Filled) -> Iterator[Comparison]:
    cells = part.cells
    for row in part.template.rows:
        for column in part.template.measures:
            cell = (row.key, column)
            reported, released = cells.get(cell), filled.noisy.get(cell)
            if reported is None and released is None:
                continue
            yield _compared(cell, reported, released)


def _compared(cell: Cell, reported: float | None, released: Number | None) -> Comparison:
    if released is None:
        return Comparison(cell, reported, None, "not in the release")
    if reported is None:
        return Comparison(cell, None, released, "not reported")
    if released.value is None or released.lo is None or released.hi is None:
        return Comparison(cell, reported, released, "lost in noise")
    inside = released.lo <= reported <= released.hi
    apart = (released.value - reported) / released.se if released.se else None
    return Comparison(cell, reported, released, "agrees" if inside else "differs", apart)


def _period_of(part: PublishedPart) -> ReportPeriod:
    """The period that a file says it is about. Raises NothingToCompare where that is none."""
    for text in part.periods:
        first, _, last = text.partition("/")
        try:
            begins, ends = Month.of(parse_day(first)), Month.of(parse_day(last))
            months = (ends.year - begins.year) * 12 + ends.month - begins.month + 1
            found = ReportPeriod(begins, months)
        except Refusal:
            continue
        if months in {1, 3, 6} and (begins.month - 1) % months == 0 and found.dates == text:
            return found
    said = ", ".join(part.periods) or "no period"
    raise NothingToCompare(
        f"{part.path.name}: the file is about {said}, which is no month, quarter or half-year; say with --period which one "
        "to set it against, such as 2026-H1",
        parameter="period",
    )


def _bounding(official: Part, coverage: Coverage) -> str:
    """What bounding did to what a part counts."""
    bound = coverage.used[-1].bounding(official.measure, {})
    if bound["rows_per_unit"] is None:
        return f"{official.measure}: each person weighs one in a month."
    kept = (bound["kept"] or {}).get("share")
    share = f", which kept about {kept:.0%} of the rows" if kept is not None else ""
    rows = bound["rows_per_unit"]
    return f"{official.measure}: at most {rows} rows of a person and month count{share}; published reports count all."
