"""Counters of rate limits in the memory of one process; everything that relies on the internals of `limits`.

Its version is bounded in pyproject.toml; tests/api/test_internals.py fails if `limits` changes what is used here.
"""

from __future__ import annotations

import time

from limits.storage import MemoryStorage

SWEEP_INTERVAL = 10.0
"""Seconds between two removals of expired counters. An expired counter is not counted before its removal either."""


class SweepingMemoryStorage(MemoryStorage):
    """Memory storage that removes expired counters while it counts.

    `limits` starts a thread a hundred times a second to remove them, which took a tenth of the CPU time of a cached answer.
    Every read checks whether a counter has expired, so the time of its removal changes no result.
    """

    STORAGE_SCHEME = ["swept"]  # noqa: RUF012  as `limits` declares it
    URI = "swept://"
    """The URI under which slowapi finds this storage."""

    _swept = 0.0

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802  the name by which `limits` calls it
        now = time.monotonic()
        if now - self._swept >= SWEEP_INTERVAL:
            self._swept = now
            self._MemoryStorage__expire_events()  # type: ignore[attr-defined]  # named by `limits` as well
