"""Working days: what a period of working days is in the law of the Union (Regulation 1182/71, Art. 2 and 3)."""

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
            f"{parameter}: {code[:20]!r} is no member state; write its two letters, one of {', '.join(MEMBER_STATES)}.",
            parameter=parameter,
            value=code,
            allowed=MEMBER_STATES,
        )
    return code


def after_working_days(day: date, number: int, state: str) -> date:
    """The last day of a period of so many working days that begins after `day`: no Saturday, no Sunday, and no public holiday
    of the state whose coordinator is told.

    >>> after_working_days(date(2026, 12, 23), 3, "DE")
    datetime.date(2026, 12, 29)
    """
    closed = _closed(state)
    while number:
        day += timedelta(days=1)
        number -= _is_working(day, closed)
    return day


def after_days(day: date, number: int, state: str) -> date:
    """The last day of a period of so many days that begins after `day`; it ends on a working day (Art. 3(4)).

    >>> after_days(date(2026, 12, 10), 15, "DE")
    datetime.date(2026, 12, 28)
    """
    closed = _closed(state)
    day += timedelta(days=number)
    while not _is_working(day, closed):
        day += timedelta(days=1)
    return day


def _is_working(day: date, closed: Container[date]) -> bool:
    return day.weekday() < 5 and day not in closed


def _closed(state: str) -> Container[date]:
    # a registry may hold any text for a coordinator from before codes were asked for: then no holiday is counted, and the end
    # comes early
    return holidays.country_holidays(state) if state in MEMBER_STATES else ()
