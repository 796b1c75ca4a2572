"""Periods of calendar days and of working days, with the public holidays of each member state."""

from datetime import date

import pytest

from auth.calendar import MEMBER_STATES, after_days, after_working_days, working_days_from


@pytest.mark.parametrize(
    ("day", "number", "state", "end"),
    [
        (date(2026, 12, 10), 15, "DE", date(2026, 12, 28)),  # the 25th is a holiday, then a week-end
        (date(2026, 3, 2), 15, "IE", date(2026, 3, 18)),  # the 17th is Saint Patrick's Day
        (date(2026, 7, 1), 15, "IE", date(2026, 7, 16)),
        (date(2026, 7, 1), 3, "IE", date(2026, 7, 6)),
    ],
)
def test_a_period_of_calendar_days_ends_on_a_working_day(day, number, state, end):
    assert after_days(day, number, state) == end


@pytest.mark.parametrize(
    ("day", "state", "last"),
    [
        (date(2026, 6, 1), "DE", date(2026, 6, 4)),  # Monday; Corpus Christi is no holiday in all of Germany
        (date(2026, 7, 3), "IE", date(2026, 7, 8)),  # Friday
        (date(2026, 12, 31), "IE", date(2027, 1, 6)),  # 1 January is a holiday, 2 and 3 a week-end
        (date(2026, 7, 13), "FR", date(2026, 7, 17)),  # 14 July
    ],
)
def test_working_days_leave_out_weekends_and_public_holidays(day, state, last):
    assert after_working_days(day, 3, state) == last


@pytest.mark.parametrize(
    ("first", "state", "last"),
    [
        (
            date(2026, 12, 21),
            "IE",
            date(2027, 2, 17),
        ),  # Monday; 25 December, 1 January and 1 February are holidays
        (date(2026, 12, 21), "NL", date(2027, 2, 16)),  # 1 February is none
        (date(2027, 1, 2), "IE", date(2027, 3, 1)),  # Saturday: Monday is the first working day
        (date(2027, 1, 2), "DE", date(2027, 2, 26)),
    ],
)
def test_the_day_on_which_a_mediation_begins_is_the_first_of_its_forty(first, state, last):
    assert working_days_from(first, 40, state) == last


def test_without_a_calendar_of_the_member_state_a_period_ends_early_and_never_late():
    assert after_working_days(date(2026, 12, 23), 3, "Coimisiún na Meán") == date(2026, 12, 28)
    assert after_working_days(date(2026, 12, 23), 3, "IE") > date(2026, 12, 28)


def test_every_member_state_has_a_calendar():
    assert len(MEMBER_STATES) == 27
    for state in MEMBER_STATES:
        assert after_working_days(date(2026, 12, 24), 3, state) > date(2026, 12, 28)
