"""The time that a question asks about: `period` and `freq`, and the periods of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from datasets.period import MalformedPeriod, Month, iso_week, parse_day
from datasets.refusal import Refusal, printable

FREQUENCIES = ("day", "week", "month", "quarter")

Days = tuple[date, ...]


class PeriodNotReleased(Refusal):
    """A period that reaches into months which have not been released."""

    missing: tuple[Month, ...] = ()
    """The months that are asked about and not released."""


@dataclass(frozen=True, slots=True)
class RowPeriod:
    """The period of one row: its label, and the days of each month that it adds up."""

    label: str
    parts: tuple[tuple[Month, Days], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """The days from `first` to `last`, both included. `freq` divides them into rows; None means one row."""

    first: date
    last: date
    freq: str | None = None

    def __str__(self) -> str:
        """The shortest spelling: months if it begins and ends with whole months.

        >>> str(Span(date(2026, 6, 1), date(2026, 6, 30)))
        '2026-06'
        """
        starts_whole, ends_whole = self.first.day == 1, (self.last + timedelta(days=1)).day == 1
        ends: tuple[object, object] = (self.first, self.last)
        if starts_whole and ends_whole:
            ends = Month.of(self.first), Month.of(self.last)
        first, last = map(str, ends)
        return first if first == last else f"{first}..{last}"

    @property
    def months(self) -> tuple[Month, ...]:
        month, last = Month.of(self.first), Month.of(self.last)
        found = [month]
        while month < last:
            month = month.next
            found.append(month)
        return tuple(found)

    @property
    def periods(self) -> tuple[RowPeriod, ...]:
        """The rows' periods, in order."""
        by_month = tuple(self.by_month())
        if self.freq == "day":
            return tuple(RowPeriod(str(day), ((month, (day,)),)) for month, days in by_month for day in days)
        if self.freq is None:
            return (RowPeriod(str(self), by_month),)
        labelled = groupby(self.days, ROW_LABEL[self.freq])
        return tuple(RowPeriod(label, tuple(_days_by_month(days))) for label, days in labelled)

    @property
    def days(self) -> Days:
        """Every day of the span."""
        return tuple(self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))

    def by_month(self) -> Iterator[tuple[Month, Days]]:
        """The days of each month, in order."""
        for month in self.months:
            yield month, tuple(day for day in month.days if self.first <= day <= self.last)

    def largest_whole(self) -> Span | None:
        """The longest span within this one that cuts no week, month or quarter; None if there is no such span."""
        if self.freq in {None, "day"}:
            return self
        label, one = ROW_LABEL[self.freq or ""], timedelta(days=1)
        starts = [day for day in self.days if label(day) != label(day - one)]
        ends = [day for day in self.days if label(day) != label(day + one)]
        return Span(starts[0], ends[-1], self.freq) if starts and ends and starts[0] <= ends[-1] else None


def _days_by_month(days: Iterable[date]) -> Iterator[tuple[Month, Days]]:
    for month, of_month in groupby(days, Month.of):
        yield month, tuple(of_month)


ROW_LABEL: dict[str, Callable[[date], str]] = {
    "day": date.isoformat,
    "week": iso_week,
    "month": lambda day: str(Month.of(day)),
    "quarter": lambda day: f"{day.year:04d}-Q{(day.month + 2) // 3}",
}
"""The label of the row that a day belongs to, for each frequency."""


def parse_span(text: str | None, freq: str | None, months: Sequence[str], parameter: str = "period") -> Span:
    """The span that a period and a frequency mean for a dataset released for `months`, the earliest first.

    Without a period it is the latest month. `parameter` is the name of the period in refusals.

    Raises MalformedPeriod, and PeriodNotReleased for months not in `months`.
    """
    if not months:
        raise PeriodNotReleased("nothing of this dataset has been released yet", parameter=parameter)
    first, last = _first_and_last(text if text is not None else months[-1], parameter)
    if last < first:
        raise MalformedPeriod(
            f"{parameter}={printable(text or '')} ends before it begins; write the earlier end first: "
            + "..".join(reversed((text or "").split(".."))),
            parameter=parameter,
            value=text or "",
        )
    span = Span(first, last, freq)
    _ensure_released(span, text or "", months, parameter)
    whole = span.largest_whole()
    if whole != span:
        advice = f"; {whole} cuts none" if whole else ""
        raise MalformedPeriod(
            f"period={span} cuts a {freq}, so freq={freq} cannot be answered; ask whole {freq}s{advice}, or freq=day, or "
            "leave freq out for one sum",
            parameter="period",
            value=text or str(span),
            suggestions=[str(whole)] if whole else [],
        )
    return span


def _first_and_last(text: str, parameter: str) -> tuple[date, date]:
    parts = text.split("..")
    if len(parts) > 2:
        raise _malformed_period(text, parameter)
    try:
        first, last = _parse_days(parts[0]), _parse_days(parts[-1])
    except MalformedPeriod:
        raise _malformed_period(text, parameter) from None
    return first[0], last[-1]


def _parse_days(text: str) -> Days:
    return Month.parse(text).days if len(text) < 8 else (parse_day(text),)


def _malformed_period(text: str, parameter: str) -> MalformedPeriod:
    return MalformedPeriod(
        f"{parameter}={printable(text)} is not a period; write a month, a day, or a range of either: 2026-06, 2026-06-01, "
        "2026-01..2026-06",
        parameter=parameter,
        value=text,
    )


def _ensure_released(span: Span, text: str, months: Sequence[str], parameter: str) -> None:
    is_inside = Month.parse(months[0]) <= Month.of(span.first) and Month.of(span.last) <= Month.parse(
        months[-1]
    )
    if not is_inside or any(str(month) not in months for month in span.months):
        refusal = PeriodNotReleased(
            f"{parameter}={printable(text)} reaches outside what is released; released are {_months_text(months)}",
            parameter=parameter,
            value=text,
            allowed=months,
        )
        is_short = (span.last - span.first).days < 36_600  # a century: longer lists are of no use
        refusal.missing = (
            tuple(month for month in span.months if str(month) not in months) if is_short else ()
        )
        raise refusal


def _months_text(months: Sequence[str]) -> str:
    return ", ".join(months) if len(months) <= 6 else f"{months[0]} to {months[-1]} ({len(months)} months)"
