"""Instants in UTC: how `as_of` is written and read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time

from datasets.period import MalformedPeriod, parse_day
from datasets.refusal import printable
from datasets.release.query.vocabulary import MalformedQuestion

_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})Z", re.ASCII)


def format_instant(when: datetime) -> str:
    """
    >>> format_instant(datetime(2026, 7, 15, 12, tzinfo=UTC))
    '2026-07-15T12:00:00Z'
    """
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_as_of(text: str, latest: datetime) -> datetime:
    """The instant that `as_of` names: a time in UTC, or a day, which means its last second.

    Raises MalformedQuestion, also if it is after `latest`, the last instant of which nothing can change any more.
    """
    try:
        when = _parse_instant(text)
    except (MalformedPeriod, ValueError):
        raise MalformedQuestion(
            f"as_of={printable(text)} is neither a day nor a time in UTC; write 2026-07-15 or 2026-07-15T12:00:00Z",
            parameter="as_of",
            value=text,
        ) from None
    if when > latest:
        raise MalformedQuestion(
            f"as_of={printable(text)} is not over yet, so its answer could still change; the latest is "
            f"{format_instant(latest)}",
            parameter="as_of",
            value=text,
            suggestions=[format_instant(latest)],
        )
    return when


def _parse_instant(text: str) -> datetime:
    """Raises MalformedPeriod or ValueError."""
    if match := _INSTANT.fullmatch(text):
        return datetime.combine(parse_day(match[1]), time.fromisoformat(match[2]), UTC)
    return datetime.combine(parse_day(text), time(23, 59, 59), UTC)
