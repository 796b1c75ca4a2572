"""When something happened to a dataset, as it is published.

A release is published with its hour. The minute in which a build ended, together with the one in which it began, which may
be known from a schedule, would tell how long it took, and so how many rows there were (PRIVACY.md, section 11). Whatever
happens to a dataset is still later than all that happened to it before: by a second, where it would not be.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

TIME_TO_APPEAR = timedelta(minutes=10)
"""How far into the next hour a release may still appear that is published with an hour; a later one is stamped anew."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clocks of whoever builds and whoever reads may differ (docs/operations.md)."""
_SECOND = timedelta(seconds=1)


def release_timestamp(earlier: Iterable[datetime], now: datetime, *, is_complete: bool = True) -> datetime:
    """The hour in which a release appears.

    Its second, where the record of what happened `earlier` is not whole: what is missing there may be of this hour, and the
    release must be later.

    >>> from datetime import UTC
    >>> release_timestamp((), datetime(2026, 7, 1, 14, 37, 20, tzinfo=UTC)).isoformat()
    '2026-07-01T14:00:00+00:00'
    """
    return _later_than_all(earlier, _start_of_hour(now) if is_complete else now.replace(microsecond=0))


def is_late(published: datetime, now: datetime) -> bool:
    """Whether a release may not appear any more with its moment: readers may be about to answer for that hour.

    >>> from datetime import UTC
    >>> is_late(datetime(2026, 7, 1, 14, tzinfo=UTC), datetime(2026, 7, 1, 15, 9, 59, tzinfo=UTC))
    False
    >>> is_late(datetime(2026, 7, 1, 14, tzinfo=UTC), datetime(2026, 7, 1, 15, 10, tzinfo=UTC))
    True
    """
    return published < _start_of_hour(now - TIME_TO_APPEAR)


def action_timestamp(earlier: Iterable[datetime], now: datetime) -> datetime:
    """The second in which somebody withdraws a release or goes back to one, which no event has a say in."""
    return _later_than_all(earlier, now.replace(microsecond=0))


def stable_as_of(earlier: Iterable[datetime], now: datetime) -> datetime:
    """The last second in which nothing can happen any more, whatever is about to appear.

    What appears is stamped with an hour that was over for no longer than `TIME_TO_APPEAR`, by a clock that may be behind
    this one by `CLOCKS_DIFFER`; and later than all so far. What is said to have happened later than any clock can say is
    no reason to answer for what is to come.
    """
    known = (min(moment, now + CLOCKS_DIFFER) for moment in earlier)
    return max((_start_of_hour(now - TIME_TO_APPEAR - CLOCKS_DIFFER) - _SECOND, *known))


def ceil_to_second(moment: datetime) -> datetime:
    """The first whole second by which something has happened.

    >>> from datetime import UTC
    >>> ceil_to_second(datetime(2026, 7, 1, 14, 37, 20, 5, tzinfo=UTC)).isoformat()
    '2026-07-01T14:37:21+00:00'
    """
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + _SECOND


def _start_of_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def _later_than_all(earlier: Iterable[datetime], wanted: datetime) -> datetime:
    return max((wanted, *(moment + _SECOND for moment in earlier)))
