"""What a report finds for one indicator: its number, how it came to be, month by month, and where it falls."""

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
from datasets.reports.coverage import Coverage, Current, coverage_of, run_up_to
from datasets.reports.number import NOTHING, Number

MONTHS_OF_TREND = 12


@dataclass(frozen=True)
class Part:
    """The number of one month, or of one code of the level that an indicator is broken down by."""

    of: str
    label: str
    number: Number


@dataclass(frozen=True)
class Change:
    """A number less that of the preceding period, or why it is not told."""

    against: str
    number: Number
    sentence: str


@dataclass(frozen=True)
class Finding:
    """Everything that a report says of one indicator; `question` is its whole question, asked of `releases`."""

    number: Number
    question: str = ""
    releases: tuple[str, ...] = ()
    change: Change | None = None
    trend: tuple[Part, ...] = ()
    by: tuple[Part, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inquiry:
    """Asks indicators of what is current, each under the same deadline."""

    releases: Releases
    current: Current
    deadline: Deadline | None = None

    def find(self, indicator: Indicator, coverage: Coverage) -> Finding:
        """The finding of an indicator over a period, as far as that is covered. Raises what asking raises."""
        if not coverage.used:
            return Finding(NOTHING, indicator.question)
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

    def _change(self, indicator: Indicator, coverage: Coverage, number: Number) -> Change | None:
        before = coverage.period.before
        if before is None:
            return None
        earlier = coverage_of(coverage.dataset, before, self.current[coverage.dataset])
        if not (coverage.is_complete and earlier.is_complete):
            lacking = coverage if not coverage.is_complete else earlier
            return Change(str(before), NOTHING, f"Not compared with {before}: {lacking.sentence()}")
        answer = self._ask(indicator.dataset, f"{indicator.question}&period={earlier.span}", earlier.used)
        then = Number.read(_row(answer.columns, answer.rows[0]), indicator.figure)
        return Change(str(before), number.less(then), f"This period less {before}.")

    def _trend(self, indicator: Indicator, coverage: Coverage) -> Iterator[Part]:
        current = self.current[coverage.dataset]
        run = run_up_to(current, coverage.months[-1], MONTHS_OF_TREND)
        span = f"{run[0].manifest.month}..{run[-1].manifest.month}"
        answer = self._ask(indicator.dataset, f"{indicator.question}&period={span}&freq=month", run)
        for row in answer.rows:
            named = _row(answer.columns, row)
            yield Part(named["period"], named["period"], Number.read(named, indicator.figure))

    def _by(self, indicator: Indicator, coverage: Coverage, question: str) -> Iterator[Part]:
        if not indicator.by:
            return
        asked = f"{question}&group_by={indicator.by}&labels=both"
        answer = self._ask(indicator.dataset, asked, coverage.used)
        for row in answer.rows:
            named = _row(answer.columns, row)
            number = Number.read(named, indicator.figure)
            yield Part(named[indicator.by], named[f"{indicator.by}_label"], number)

    def rows(self, coverage: Coverage, text: str) -> list[dict[str, Any]]:
        """The rows of the answer to a question of the releases that are covered, by the names of their columns."""
        answer = self._ask(coverage.dataset, text, coverage.used)
        return [_row(answer.columns, row) for row in answer.rows]

    def _ask(self, dataset: str, text: str, releases: tuple[Release, ...]) -> Result:
        question = self.releases.question(dataset, parse_qsl(text, strict_parsing=True))
        return self.releases.ask(question, self.deadline, releases)


def _row(columns: tuple[ResultColumn, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    return {column.name: value for column, value in zip(columns, row, strict=True)}
