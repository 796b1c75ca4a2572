"""What is noted in memory on each request and written beside: when tokens were last used, and what projects took."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool

from auth.errors import RegistryUnavailable
from auth.registry import Registry

log = logging.getLogger("daylight.api")

USES, TAKEN, ENDS = 60.0, 5.0, 60.0
"""Seconds after which the last uses, what was taken, and notices of projects that ended by themselves are written."""


@asynccontextmanager
async def flush_periodically(
    registry: Registry, uses: float = USES, taken: float = TAKEN, ends: float = ENDS
) -> AsyncIterator[None]:
    """Write while the block runs. What is left when it ends, the registry writes as it closes."""
    tasks = [
        asyncio.create_task(_write(registry.authenticator.write_last_uses, uses)),
        asyncio.create_task(_write(registry.usage.flush, taken)),
        asyncio.create_task(_write(lambda: registry.notices.add_for_ended_projects(datetime.now(UTC)), ends)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _write(write: Callable[[], int], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await run_in_threadpool(write)
        except RegistryUnavailable:
            log.warning("what was noted could not be written; it is kept until the registry is back")
        except Exception:
            log.exception("what was noted could not be written; it is tried again")
