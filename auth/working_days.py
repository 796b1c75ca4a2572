"""Working days: what a period of working days is in the law of the Union (Regulation 1182/71, Art. 2 and 3)."""

from __future__ import annotations

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
    # a registry may hold any text for a coordinator from before codes were asked for: then no holiday is counted, and the end
    # comes early
    closed = holidays.country_holidays(state) if state in MEMBER_STATES else ()
    while number:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in closed:
            number -= 1
    return day
