"""Compares a published part with releases, cell by cell: how many standard errors they are apart, and a verdict."""

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
from datasets.reports.finding import IndicatorQueries
from datasets.reports.number import Number
from datasets.reports.official.part import Cell, PartCells, PartDefinition
from datasets.reports.official.parts import PARTS
from datasets.reports.period import ReportPeriod
from datasets.reports.published.reading import PublishedPart
from datasets.reports.published.structure import rule_violations
from datasets.reports.report import current_releases

CellVerdict = Literal["agrees", "differs", "not reported", "not in the release", "lost in noise"]


class NothingToCompare(Refusal):
    """No release covers the period of the published part."""


@dataclass(frozen=True)
class CellComparison:
    """One cell: the published number, the released one, and how many standard errors they are apart."""

    cell: Cell
    reported: float | None
    released: Number | None
    verdict: CellVerdict
    errors_apart: float | None = None


@dataclass(frozen=True)
class Reconciliation:
    """A published part and the comparisons of its cells. `same_period` is true if both cover the same days."""

    part: PublishedPart
    coverage: Coverage
    comparisons: tuple[CellComparison, ...]
    violations: tuple[str, ...]
    bounding: str

    @property
    def same_period(self) -> bool:
        return self.part.periods == (self.coverage.period.dates,) and self.coverage.is_complete

    @property
    def verdicts(self) -> Counter[str]:
        return Counter(each.verdict for each in self.comparisons)

    def sentences(self) -> Iterator[str]:
        """What to know before trusting a verdict."""
        reported = ", ".join(self.part.periods) or "no period"
        if self.same_period:
            yield f"Both cover {reported}."
        else:
            yield (
                f"The periods differ: the file covers {reported}, the releases {self.coverage.period.dates}. "
                f"{self.coverage.sentence()} A cell may differ for this reason alone."
            )
        compared = self.verdicts["agrees"] + self.verdicts["differs"]
        chance = (1 - CONFIDENCE) * compared
        yield (
            f"{compared} cells compared, {self.verdicts['differs']} outside their {CONFIDENCE:.0%} interval; noise alone "
            f"would put about {chance:.0f} there."
        )
        yield self.bounding
        yield from PARTS[self.part.template.name].notes


def compare_with_releases(
    part: PublishedPart, releases: Releases, period: ReportPeriod | None = None
) -> Reconciliation:
    """A published part compared with the current releases of its own period, or of another one.

    Raises NothingToCompare if no release covers the period.
    """
    current = current_releases(releases)
    official = PARTS[part.template.name]
    wanted = period or _stated_period(part)
    coverage = coverage_of(official.dataset, wanted, current[official.dataset])
    if not coverage.used:
        months = ", ".join(r.manifest.month for r in current[official.dataset]) or "none"
        raise NothingToCompare(
            f"{part.path.name}: no release of {official.dataset} covers {wanted}; there are releases of {months}; choose "
            "another period with --period",
            parameter="period",
            value=str(wanted),
        )
    filled = official.fill_cells(IndicatorQueries(releases, current), coverage)
    return Reconciliation(
        part,
        coverage,
        tuple(_compare_cells(part, filled)),
        tuple(rule_violations(part)),
        _describe_bounding(official, coverage),
    )


def _compare_cells(part: PublishedPart, filled: PartCells) -> Iterator[CellComparison]:
    cells = part.cells
    for row in part.template.rows:
        for column in part.template.measures:
            cell = (row.key, column)
            reported, released = cells.get(cell), filled.noisy.get(cell)
            if reported is None and released is None:
                continue
            yield _compare_cell(cell, reported, released)


def _compare_cell(cell: Cell, reported: float | None, released: Number | None) -> CellComparison:
    if released is None:
        return CellComparison(cell, reported, None, "not in the release")
    if reported is None:
        return CellComparison(cell, None, released, "not reported")
    if released.value is None or released.lo is None or released.hi is None:
        return CellComparison(cell, reported, released, "lost in noise")
    inside = released.lo <= reported <= released.hi
    apart = (released.value - reported) / released.se if released.se else None
    return CellComparison(cell, reported, released, "agrees" if inside else "differs", apart)


def _stated_period(part: PublishedPart) -> ReportPeriod:
    """The period that a file states. Raises NothingToCompare if it states none that reports have."""
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
    stated = ", ".join(part.periods) or "no period"
    raise NothingToCompare(
        f"{part.path.name}: the file covers {stated}, which is not a month, quarter or half-year; name the period to compare "
        "it with by --period, such as 2026-H1",
        parameter="period",
    )


def _describe_bounding(official: PartDefinition, coverage: Coverage) -> str:
    """The effect of the contribution bound on what a part counts."""
    bound = coverage.used[-1].bounding(official.measure, {})
    if bound["rows_per_unit"] is None:
        return f"{official.measure}: each person has a weight of one in a month."
    kept = (bound["kept"] or {}).get("share")
    share = f", which kept about {kept:.0%} of the rows" if kept is not None else ""
    rows = bound["rows_per_unit"]
    return f"{official.measure}: at most {rows} rows per person and month count{share}; published reports count all rows."
