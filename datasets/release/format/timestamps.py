"""The published timestamps of releases, withdrawals and rollbacks.

A release is published with its hour only. The minute in which a build ended, together with the minute in which it began,
which may be known from a schedule, would reveal how long it took, and so how many rows there were
(docs/privacy/not-published.md#timestamps).
Each timestamp of a dataset is later than all earlier ones: if it would not be, it is a second after the latest.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

TIME_TO_APPEAR = timedelta(minutes=10)
"""How far into the next hour a release may still appear; one that appears later gets a new timestamp."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clocks of the builder and of a reader may differ (docs/operations.md)."""
_SECOND = timedelta(seconds=1)


def release_timestamp(earlier: Iterable[datetime], now: datetime, *, is_complete: bool = True) -> datetime:
    """The hour in which a release appears, or later, so that it is after all `earlier` timestamps.

    If the record of earlier timestamps is not complete, it is the second: a missing timestamp may be in this hour, and the
    release must be later.

    >>> from datetime import UTC
    >>> release_timestamp((), datetime(2026, 7, 1, 14, 37, 20, tzinfo=UTC)).isoformat()
    '2026-07-01T14:00:00+00:00'
    """
    return _later_than_all(earlier, _start_of_hour(now) if is_complete else now.replace(microsecond=0))


def is_late(published: datetime, now: datetime) -> bool:
    """Whether a release may no longer appear with its timestamp: readers may soon treat that hour as final.

    >>> from datetime import UTC
    >>> is_late(datetime(2026, 7, 1, 14, tzinfo=UTC), datetime(2026, 7, 1, 15, 9, 59, tzinfo=UTC))
    False
    >>> is_late(datetime(2026, 7, 1, 14, tzinfo=UTC), datetime(2026, 7, 1, 15, 10, tzinfo=UTC))
    True
    """
    return published < _start_of_hour(now - TIME_TO_APPEAR)


def action_timestamp(earlier: Iterable[datetime], now: datetime) -> datetime:
    """The second in which an admin withdraws a release or rolls back to one; it does not depend on any event."""
    return _later_than_all(earlier, now.replace(microsecond=0))


def stable_as_of(earlier: Iterable[datetime], now: datetime) -> datetime:
    """The last second that is final: nothing can get a timestamp in it or before it any more.

    A release appears at most `TIME_TO_APPEAR` after the end of the hour of its timestamp, by a clock that may be behind
    this one by `CLOCKS_DIFFER`; and every new timestamp is later than all earlier ones. Earlier timestamps that lie beyond
    any clock count as now.
    """
    known = (min(timestamp, now + CLOCKS_DIFFER) for timestamp in earlier)
    return max((_start_of_hour(now - TIME_TO_APPEAR - CLOCKS_DIFFER) - _SECOND, *known))


def ceil_to_second(moment: datetime) -> datetime:
    """A timestamp rounded up to a whole second.

    >>> from datetime import UTC
    >>> ceil_to_second(datetime(2026, 7, 1, 14, 37, 20, 5, tzinfo=UTC)).isoformat()
    '2026-07-01T14:37:21+00:00'
    """
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + _SECOND


def _start_of_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def _later_than_all(earlier: Iterable[datetime], wanted: datetime) -> datetime:
    return max((wanted, *(timestamp + _SECOND for timestamp in earlier)))
