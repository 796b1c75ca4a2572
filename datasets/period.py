"""Months: the periods that releases cover and privacy budgets are spent on; and how months and days are parsed."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from datasets.refusal import Refusal, printable

_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class MalformedPeriod(Refusal):
    """A month or a day that is not written in the format of ISO 8601, or does not exist."""


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """One calendar month in UTC.

    >>> Month.parse("2026-02").days[-1]
    datetime.date(2026, 2, 28)
    """

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1970 <= self.year <= 9998 and 1 <= self.month <= 12):
            raise MalformedPeriod(
                f"{self.year:04d}-{self.month:02d} is not a month between 1970-01 and 9998-12"
            )

    @classmethod
    def parse(cls, text: str) -> Month:
        """The month written as `YYYY-MM`. Raises MalformedPeriod on anything else."""
        match = _MONTH.fullmatch(text)
        if match is None:
            raise MalformedPeriod(f"{printable(text)!r} is not a month; write YYYY-MM, for example 2026-06")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        """The month that a day lies in."""
        return cls(day.year, day.month)

    @property
    def days(self) -> tuple[date, ...]:
        return _days_of_month(self.year, self.month)

    @property
    def start(self) -> datetime:
        """The first instant of the month, in UTC."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def next(self) -> Month:
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@lru_cache(maxsize=1200)
def _days_of_month(year: int, month: int) -> tuple[date, ...]:
    return tuple(date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1))


def iso_week(day: date) -> str:
    """The ISO 8601 week of a day; weeks run from Monday to Sunday and may cross months.

    >>> iso_week(date(2027, 1, 1))
    '2026-W53'
    """
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def parse_day(text: str) -> date:
    """The day written as `YYYY-MM-DD`. Raises MalformedPeriod on anything else."""
    try:
        if _DAY.fullmatch(text) is None:  # fromisoformat would also accept weeks: 2026-W27-3
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise MalformedPeriod(
            f"{printable(text)!r} is not a day; write YYYY-MM-DD, for example 2026-06-01"
        ) from None
