"""When something happened to a dataset, as it is published.

A release is published with its hour. The minute in which a build ended, together with the one in which it began, which may
be known from a schedule, would tell how long it took, and so how many rows there were (PRIVACY.md, section 11). Whatever
happens to a dataset is still later than all that happened to it before: by a second, where it would not be.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

_SECOND = timedelta(seconds=1)


def moment_of_release(earlier: Iterable[datetime], now: datetime) -> datetime:
    """The hour in which a release appears.

    >>> from datetime import UTC
    >>> moment_of_release((), datetime(2026, 7, 1, 14, 37, 20, tzinfo=UTC)).isoformat()
    '2026-07-01T14:00:00+00:00'
    """
    return _after(earlier, _hour(now))


def moment_of_act(earlier: Iterable[datetime], now: datetime) -> datetime:
    """The second in which somebody withdraws a release or goes back to one, which no event has a say in."""
    return _after(earlier, now.replace(microsecond=0))


def settled(earlier: Iterable[datetime], now: datetime) -> datetime:
    """The last second in which nothing can happen any more: what comes next is of this hour, and later than all so far."""
    return max((_hour(now) - _SECOND, *earlier))


def whole_second(moment: datetime) -> datetime:
    """The first whole second by which something has happened.

    >>> from datetime import UTC
    >>> whole_second(datetime(2026, 7, 1, 14, 37, 20, 5, tzinfo=UTC)).isoformat()
    '2026-07-01T14:37:21+00:00'
    """
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + _SECOND


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def _after(earlier: Iterable[datetime], wanted: datetime) -> datetime:
    return max((wanted, *(moment + _SECOND for moment in earlier)))
