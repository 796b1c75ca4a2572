"""Waiting for a fact, for tests of servers, threads and processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE = 60
"""Seconds after which a test fails that waits for something: many times what a busy machine needs."""


def wait_until(condition: Callable[[], object], what: str = "what the test waits for") -> None:
    """Return when the condition is true. Fails after `PATIENCE` seconds: no test passes or fails because of a shorter time."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"{what} has not come within {PATIENCE} seconds"
        time.sleep(0.002)


HALF_A_DAY = 12 * 60 * 60
"""Seconds. Rate limits that a test counts on are given per half day."""


def wait_if_a_half_day_ends() -> None:
    """Return when the next noon or midnight (UTC) is 45 seconds away or more.

    Counters of rate limits per half day start anew at both, and quotas at midnight: what a test counts must not be split.
    """
    wait_until(lambda: time.time() % HALF_A_DAY < HALF_A_DAY - 45, "the next half day")


async def become_true(condition: Callable[[], object]) -> None:
    """The same in an event loop, which goes on meanwhile."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"what the test waits for has not come within {PATIENCE} seconds"
        await asyncio.sleep(0.002)
