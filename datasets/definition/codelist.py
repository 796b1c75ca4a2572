"""Code lists: closed and public, each with the law or the document that it comes from; and the days and weeks of a month."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby

from datasets.definition.rules import ensure, ensure_name, ensure_unique
from datasets.period import Month, iso_week

_CODE = re.compile(r"[A-Za-z0-9+_.-]{1,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Code:
    """One value of a code list; `within` is the code of the coarser list that it belongs to, if any."""

    code: str
    label: str
    within: str | None = None


@dataclass(frozen=True)
class CodeList:
    """A closed, public list of codes, with the law or the document that it comes from.

    `unknown` is the code for values without a counterpart in the list, so that no row is dropped because it has no
    code. A list that is nested in a coarser one names it in `within`; its codes are then in the order of their
    parents, so that siblings are neighbours.

    Raises DefinitionError if codes repeat, a parent is missing or siblings are apart.
    """

    name: str
    title: str
    source: str
    codes: tuple[Code, ...]
    unknown: str = "unknown"
    within: CodeList | None = None

    def __post_init__(self) -> None:
        where = f"code list {self.name!r}"
        ensure_name(self.name, where)
        ensure(bool(self.source.strip()), f"{where}: names no source; say the law or the document")
        ensure(len(self.codes) >= 2, f"{where}: has {len(self.codes)} code(s); it needs at least two")
        ensure_unique((code.code for code in self.codes), where)
        for code in self.codes:
            ensure(
                _CODE.fullmatch(code.code) is not None,
                f"{where}: {code.code!r} is not a code; codes have 1 to 80 letters, digits and + _ . -",
            )
            ensure(bool(code.label.strip()), f"{where}: the code {code.code} has no label")
        ensure(
            self.unknown in self.index,
            f"{where}: its code for the unknown, {self.unknown!r}, is not among its codes",
        )
        self._check_nesting(where)

    def _check_nesting(self, where: str) -> None:
        parents = [code.within for code in self.codes]
        if self.within is None:
            ensure(not any(parents), f"{where}: codes name a parent, but the list is within no other list")
            return
        for code in self.codes:
            ensure(
                code.within in self.within.index,
                f"{where}: the parent {code.within!r} of {code.code} is not a code of {self.within.name!r}",
            )
        order = [self.within.index[code.within] for code in self.codes if code.within is not None]
        ensure(order == sorted(order), f"{where}: codes must stand in the order of {self.within.name!r}")
        childless = set(self.within.index) - set(parents)
        ensure(not childless, f"{where}: nothing is within {', '.join(sorted(map(str, childless)))}")

    @cached_property
    def index(self) -> dict[str, int]:
        """The position of each code, in the order in which cells are stored."""
        return {code.code: position for position, code in enumerate(self.codes)}

    def in_month(self, month: Month) -> CodeList:
        """This list: it is the same in every month. See DaysOfMonth and WeeksOfMonth."""
        return self

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[Code]:
        return iter(self.codes)


@dataclass(frozen=True)
class WeeksOfMonth:
    """The parts of ISO weeks that lie in the month that a release covers: a code list that depends on the month.

    A week begins on Monday. One that crosses the end of a month has a part in each of two releases, under the same code.

    >>> [(week.code, week.label) for week in WeeksOfMonth().in_month(Month(2026, 7))][0]
    ('2026-W27', '2026-07-01 to 2026-07-05')
    """

    name: str = "week"
    title: str = "Parts of ISO weeks in the month, UTC"
    source: str = "ISO 8601-1:2019, week dates"
    within: None = None

    def in_month(self, month: Month) -> CodeList:
        """The parts of a month's weeks as a code list; the label of a part says its days."""
        parts = [(code, tuple(days)) for code, days in groupby(month.days, iso_week)]
        weeks = tuple(
            Code(code, " to ".join(dict.fromkeys(map(str, (days[0], days[-1]))))) for code, days in parts
        )
        return CodeList(self.name, self.title, self.source, weeks, unknown=weeks[0].code)


@dataclass(frozen=True)
class DaysOfMonth:
    """The days of the month that a release covers: a code list that depends on the month; within weeks, if it is said so."""

    name: str = "day"
    title: str = "Days of the month, UTC"
    source: str = "ISO 8601-1:2019, calendar dates"
    within: WeeksOfMonth | None = None

    def in_month(self, month: Month) -> CodeList:
        """The days of a month as a code list."""
        days = tuple(Code(day.isoformat(), day.isoformat(), self._week_of(day)) for day in month.days)
        weeks = self.within.in_month(month) if self.within else None
        return CodeList(self.name, self.title, self.source, days, unknown=days[0].code, within=weeks)

    def _week_of(self, day: date) -> str | None:
        return iso_week(day) if self.within else None
