"""What a report contains for one indicator: its number, its change, its trend by month, and its breakdown by code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from datasets.release.answer.deadline import Deadline
from datasets.release.answer.release import Release
from datasets.release.answer.table import Result, ResultColumn
from datasets.release.releases import Releases
from datasets.reports.commitment import Indicator
from datasets.reports.coverage import Coverage, Current, coverage_of, latest_run
from datasets.reports.number import NO_NUMBER, Number

MONTHS_OF_TREND = 12


@dataclass(frozen=True)
class LabelledNumber:
    """The number of one month, or of one code of the level by which an indicator is broken down."""

    of: str
    label: str
    number: Number


@dataclass(frozen=True)
class ChangeFromPrevious:
    """A number minus that of the previous period, or the reason why there is none."""

    against: str
    number: Number
    sentence: str


@dataclass(frozen=True)
class Finding:
    """All results for one indicator; `question` is its complete question, answered from `releases`."""

    number: Number
    question: str = ""
    releases: tuple[str, ...] = ()
    change: ChangeFromPrevious | None = None
    trend: tuple[LabelledNumber, ...] = ()
    by: tuple[LabelledNumber, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class IndicatorQueries:
    """Asks the questions of indicators of the current releases, all under the same deadline."""

    releases: Releases
    current: Current
    deadline: Deadline | None = None

    def find(self, indicator: Indicator, coverage: Coverage) -> Finding:
        """The finding of an indicator over the covered part of a period. Raises what answering a question raises."""
        if not coverage.used:
            return Finding(NO_NUMBER, indicator.question)
        question = f"{indicator.question}&period={coverage.span}"
        answer = self._ask(indicator.dataset, question, coverage.used)
        number = Number.read(_row(answer.columns, answer.rows[0]), indicator.figure)
        return Finding(
            number,
            question,
            tuple(release.name for release in coverage.used),
            self._change(indicator, coverage, number),
            tuple(self._trend(indicator, coverage)),
            tuple(self._by(indicator, coverage, question)),
            tuple(answer.meta["warnings"]),
        )

    def _change(self, indicator: Indicator, coverage: Coverage, number: Number) -> ChangeFromPrevious | None:
        before = coverage.period.previous
        if before is None:
            return None
        earlier = coverage_of(coverage.dataset, before, self.current[coverage.dataset])
        if not (coverage.is_complete and earlier.is_complete):
            lacking = coverage if not coverage.is_complete else earlier
            return ChangeFromPrevious(
                str(before), NO_NUMBER, f"Not compared with {before}: {lacking.sentence()}"
            )
        answer = self._ask(indicator.dataset, f"{indicator.question}&period={earlier.span}", earlier.used)
        then = Number.read(_row(answer.columns, answer.rows[0]), indicator.figure)
        return ChangeFromPrevious(str(before), number.minus(then), f"This period minus {before}.")

    def _trend(self, indicator: Indicator, coverage: Coverage) -> Iterator[LabelledNumber]:
        current = self.current[coverage.dataset]
        run = latest_run(current, coverage.months[-1], MONTHS_OF_TREND)
        span = f"{run[0].manifest.month}..{run[-1].manifest.month}"
        answer = self._ask(indicator.dataset, f"{indicator.question}&period={span}&freq=month", run)
        for row in answer.rows:
            named = _row(answer.columns, row)
            yield LabelledNumber(named["period"], named["period"], Number.read(named, indicator.figure))

    def _by(self, indicator: Indicator, coverage: Coverage, question: str) -> Iterator[LabelledNumber]:
        if not indicator.by:
            return
        grouped = f"{question}&group_by={indicator.by}&labels=both"
        answer = self._ask(indicator.dataset, grouped, coverage.used)
        for row in answer.rows:
            named = _row(answer.columns, row)
            number = Number.read(named, indicator.figure)
            yield LabelledNumber(named[indicator.by], named[f"{indicator.by}_label"], number)

    def rows(self, coverage: Coverage, text: str) -> list[dict[str, Any]]:
        """The rows of the answer to a question about the covered releases, as dicts by column name."""
        answer = self._ask(coverage.dataset, text, coverage.used)
        return [_row(answer.columns, row) for row in answer.rows]

    def _ask(self, dataset: str, text: str, releases: tuple[Release, ...]) -> Result:
        question = self.releases.question(dataset, parse_qsl(text, strict_parsing=True))
        return self.releases.ask(question, self.deadline, releases)


def _row(columns: tuple[ResultColumn, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    return {column.name: value for column, value in zip(columns, row, strict=True)}
