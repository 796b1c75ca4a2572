"""Sums of spends over data months: of one month, and of twelve consecutive months, wherever they begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from datasets.period import MalformedPeriod, Month
from datasets.privacy.ledger.caps import UNIT_CLASSES, UnitClass
from datasets.privacy.ledger.entries import Entry, LedgerBroken

YEAR = 12
"""The months of a window."""


@dataclass(frozen=True, slots=True)
class Window:
    """Twelve consecutive data months, `first` to `last` (YYYY-MM), and the billionths of rho that were spent on them."""

    first: str
    last: str
    nano_rho: int


class MonthlySpends:
    """What entries have spent on each class in each data month; months are numbered by year · 12 + month - 1."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._spent: dict[UnitClass, Counter[int]] = {unit_class: Counter() for unit_class in UNIT_CLASSES}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Count an entry. Raises LedgerBroken if its month is none."""
        for unit_class, spent in self._spent.items():
            if nano := entry.spent_on(unit_class):
                spent[_number_of_month(entry)] += nano

    def of_month(self, unit_class: UnitClass, month: str) -> int:
        """The spends on a class in a month (YYYY-MM), in billionths of rho."""
        return self._spent[unit_class][_number(Month.parse(month))]

    def of_calendar_year(self, unit_class: UnitClass, month: str) -> int:
        """The spends on a class in the calendar year that a month lies in, in billionths of rho."""
        first = Month.parse(month).year * YEAR
        return sum(self._spent[unit_class][first + n] for n in range(YEAR))

    def windows(self, unit_class: UnitClass, month: str) -> Iterator[Window]:
        """The twelve windows that contain a month; the first one ends with it, the last one begins with it."""
        spent, number = self._spent[unit_class], _number(Month.parse(month))
        for first in range(number - YEAR + 1, number + 1):
            nano = sum(spent[first + n] for n in range(YEAR))
            yield Window(_month_text(first), _month_text(first + YEAR - 1), nano)

    def fullest_window(self, unit_class: UnitClass, month: str) -> Window:
        """The window with the largest sum of those that contain a month; of equals the earliest."""
        return max(self.windows(unit_class, month), key=lambda window: window.nano_rho)


def _number_of_month(entry: Entry) -> int:
    try:
        return _number(Month.parse(entry.month))
    except MalformedPeriod as error:
        raise LedgerBroken(f"ledger entry {entry.seq}: {error.sentence}") from error


def _number(month: Month) -> int:
    return month.year * YEAR + month.month - 1


def _month_text(number: int) -> str:
    return f"{number // YEAR:04d}-{number % YEAR + 1:02d}"
