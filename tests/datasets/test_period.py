"""Months and days: ISO 8601 and nothing else."""

from datetime import date

import pytest

from datasets.period import MalformedPeriod, Month, parse_day


@pytest.mark.parametrize(
    "text",
    [
        "2026-6",
        "2026-13",
        "2026-00",
        "26-06",
        "2026/06",
        "2026-06-01",
        "",
        "٢٠٢٦-٠٦",
        "0000-01",
        "9999-12",
        " 2026-06",
    ],
)
def test_anything_but_a_month_is_refused(text):
    with pytest.raises(MalformedPeriod):
        Month.parse(text)


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-W27-3", "20260601", "2026-6-1", "2026-06", "", "٢٠٢٦-٠٦-٠١"]
)
def test_anything_but_a_day_is_refused(text):
    with pytest.raises(MalformedPeriod):
        parse_day(text)


def test_a_month_has_its_days_and_a_next_month():
    assert len(Month.parse("2024-02").days) == 29
    assert Month.parse("2026-12").next == Month(2027, 1)
    assert Month.of(date(2026, 6, 30)) == Month(2026, 6)
    assert str(Month(2026, 6)) == "2026-06"
