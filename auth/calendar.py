"""Periods of days and of working days, as the law of the Union counts them (docs/law.md#periods-and-working-days)."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, timedelta

import holidays

from auth.errors import MalformedValue

MEMBER_STATES = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT",
    "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
"""ISO 3166-1 codes of the states whose coordinators send reasoned requests."""


def ensure_member_state(parameter: str, code: str) -> str:
    """The code of a member state. Raises MalformedValue."""
    if code not in MEMBER_STATES:
        raise MalformedValue(
            f"{parameter}: {code[:20]!r} is not a member state; write its two letters, one of {', '.join(MEMBER_STATES)}.",
            parameter=parameter,
            value=code,
            allowed=MEMBER_STATES,
        )
    return code


def after_working_days(day: date, number: int, state: str) -> date:
    """The last day of a period of so many working days that begins after `day`. Working days leave out Saturdays, Sundays and
    the public holidays of the member state.

    >>> after_working_days(date(2026, 12, 23), 3, "DE")
    datetime.date(2026, 12, 29)
    """
    holidays_of_state = _public_holidays(state)
    while number:
        day += timedelta(days=1)
        number -= _is_working(day, holidays_of_state)
    return day


def working_days_from(day: date, number: int, state: str) -> date:
    """The last day of a period of so many working days, of which `day` itself is the first if it is a working day.

    >>> working_days_from(date(2026, 12, 21), 40, "NL")
    datetime.date(2027, 2, 16)
    """
    return after_working_days(day - timedelta(days=1), number, state)


def after_days(day: date, number: int, state: str) -> date:
    """The last day of a period of so many calendar days after `day`. If it is not a working day, the period ends on
    the next working day (Art. 3(4)).

    >>> after_days(date(2026, 12, 10), 15, "DE")
    datetime.date(2026, 12, 28)
    """
    holidays_of_state = _public_holidays(state)
    day += timedelta(days=number)
    while not _is_working(day, holidays_of_state):
        day += timedelta(days=1)
    return day


def _is_working(day: date, holidays_of_state: Container[date]) -> bool:
    return day.weekday() < 5 and day not in holidays_of_state


def _public_holidays(state: str) -> Container[date]:
    # old records may hold a text other than a code of a member state: then no holiday is counted, and the period ends early
    return holidays.country_holidays(state) if state in MEMBER_STATES else ()
