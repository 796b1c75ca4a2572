"""Checks of values that people type: short texts, e-mail addresses, days."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from auth.errors import MalformedValue, printable

_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,120}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MAX_TEXT_LENGTH = 200


def ensure_text(parameter: str, text: str, max_length: int = MAX_TEXT_LENGTH) -> str:
    """The text without spaces around it. Raises MalformedValue if it is empty, too long or not printable."""
    stripped = text.strip()
    if not (0 < len(stripped) <= max_length and stripped.isprintable()):
        raise MalformedValue(
            f"{parameter}: {printable(text)!r} is not accepted; write 1 to {max_length} printable characters on one line.",
            parameter=parameter,
            value=text,
        )
    return stripped


def ensure_storable(text: str) -> None:
    """Raises MalformedValue if a text has a NUL, which PostgreSQL cannot store, or a lone surrogate."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise MalformedValue(
            f"{printable(text)!r} has a character that cannot be stored, NUL or a lone surrogate; leave it out.",
            value=text,
        )


def ensure_email(parameter: str, text: str) -> str:
    """The address in lower case. Raises MalformedValue."""
    address = text.strip().lower()
    if _EMAIL.fullmatch(address) is None or not address.isprintable():
        raise MalformedValue(
            f"{parameter}: {printable(text)!r} is not an e-mail address; write it as NAME@HOST.",
            parameter=parameter,
            value=text,
        )
    return address


def parse_day(parameter: str, text: str) -> date:
    """The day written as YYYY-MM-DD, between 1970 and 2999. Raises MalformedValue."""
    try:
        if _DAY.fullmatch(text) is None:  # fromisoformat also reads weeks, 2026-W27-3
            raise ValueError
        day = date.fromisoformat(text)
        if not 1970 <= day.year <= 2999:
            raise ValueError
    except ValueError:
        raise MalformedValue(
            f"{parameter}: {printable(text)!r} is not a day; write YYYY-MM-DD, for example 2026-06-30.",
            parameter=parameter,
            value=text,
        ) from None
    return day


def start_of(day: date) -> datetime:
    """The first moment of a day, in UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def end_of(day: date) -> datetime:
    """The first moment after a day, in UTC.

    >>> end_of(date(2026, 6, 30)).isoformat()
    '2026-07-01T00:00:00+00:00'
    """
    return start_of(day) + timedelta(days=1)
