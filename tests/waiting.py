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


async def become_true(condition: Callable[[], object]) -> None:
    """The same in an event loop, which goes on meanwhile."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"what the test waits for has not come within {PATIENCE} seconds"
        await asyncio.sleep(0.002)
