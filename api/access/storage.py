"""The counters of limits in the memory of one process."""

from __future__ import annotations

import time

from limits.storage import MemoryStorage

SWEEP_INTERVAL = 10.0
"""Seconds after which counts of windows that are over are thrown away. They count nothing before that either."""


class SweepingMemoryStorage(MemoryStorage):
    """What `limits` keeps in memory, without the thread that it starts a hundred times a second to throw away what is old.

    Those threads took a tenth of what a known question costs. Whether a count is over is looked at whenever it is read,
    so when it is thrown away changes no answer.
    """

    STORAGE_SCHEME = ["swept"]  # noqa: RUF012  as `limits` declares it
    URI = "swept://"
    """What slowapi calls this by."""

    _swept = 0.0

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802  the name by which `limits` calls it
        now = time.monotonic()
        if now - self._swept >= SWEEP_INTERVAL:
            self._swept = now
            self._MemoryStorage__expire_events()  # type: ignore[attr-defined]  # named by `limits` as well
