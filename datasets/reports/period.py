"""The periods of reports: a month, a quarter or a half-year."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from datasets.period import MalformedPeriod, Month
from datasets.refusal import printable

_NOTATION = re.compile(r"(\d{4})-(?:Q([1-4])|H([12])|(\d{2}))", re.ASCII)
KINDS = {1: "month", 3: "quarter", 6: "half-year"}


@dataclass(frozen=True, order=True, slots=True)
class ReportPeriod:
    """One, three or six consecutive months: a month, a calendar quarter or a calendar half-year.

    >>> str(ReportPeriod.parse("2026-H1").months[-1])
    '2026-06'
    """

    first: Month
    length: int

    @classmethod
    def parse(cls, text: str) -> ReportPeriod:
        """Parse `2026-06`, `2026-Q2` or `2026-H1`. Raises MalformedPeriod for anything else."""
        found = _NOTATION.fullmatch(text)
        if found is None or (found[4] and not 1 <= int(found[4]) <= 12):
            raise MalformedPeriod(
                f"period={printable(text)} is not a period of a report; write a month, a quarter or a half-year: 2026-06, "
                "2026-Q2, 2026-H1",
                parameter="period",
                value=text,
            )
        year = int(found[1])
        if found[2]:
            return cls(Month(year, 3 * int(found[2]) - 2), 3)
        if found[3]:
            return cls(Month(year, 6 * int(found[3]) - 5), 6)
        return cls(Month(year, int(found[4])), 1)

    @property
    def months(self) -> tuple[Month, ...]:
        found = [self.first]
        while len(found) < self.length:
            found.append(found[-1].next)
        return tuple(found)

    @property
    def kind(self) -> str:
        return KINDS[self.length]

    @property
    def previous(self) -> ReportPeriod | None:
        """The period of the same length that ends where this one begins; None before 1970.

        >>> str(ReportPeriod.parse("2026-Q1").previous)
        '2025-Q4'
        """
        months = self.first.year * 12 + self.first.month - 1 - self.length
        if months < 1970 * 12:
            return None
        return ReportPeriod(Month(months // 12, months % 12 + 1), self.length)

    @property
    def dates(self) -> str:
        """First and last day, as Implementing Regulation (EU) 2024/2835 writes a reporting period.

        >>> ReportPeriod.parse("2026-H1").dates
        '2026-01-01/2026-06-30'
        """
        return f"{self.first.days[0]}/{self.months[-1].days[-1]}"

    def __str__(self) -> str:
        number = (self.first.month - 1) // self.length + 1
        return (
            str(self.first) if self.length == 1 else f"{self.first.year:04d}-{'QH'[self.length == 6]}{number}"
        )


def periods_of(months: Iterable[Month]) -> tuple[ReportPeriod, ...]:
    """Every period that contains one of these months: half-years, then quarters, then months, each earliest first.

    >>> [str(period) for period in periods_of([Month(2026, 5), Month(2026, 6)])]
    ['2026-H1', '2026-Q2', '2026-05', '2026-06']
    """
    found = {_period_containing(month, length) for month in months for length in KINDS}
    return tuple(sorted(found, key=lambda period: (-period.length, period.first)))


def _period_containing(month: Month, length: int) -> ReportPeriod:
    return ReportPeriod(Month(month.year, (month.month - 1) // length * length + 1), length)
