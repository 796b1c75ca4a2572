"""Background tasks that write to the registry what requests have left in memory: last uses of tokens, and usage of quotas."""

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

LAST_USES, USAGE, NOTICES = 60.0, 5.0, 60.0
"""Seconds between two writes of last uses, of usage, and of notices for projects whose last day has passed."""


@asynccontextmanager
async def flush_periodically(
    registry: Registry, last_uses: float = LAST_USES, usage: float = USAGE, notices: float = NOTICES
) -> AsyncIterator[None]:
    """Write periodically while the block runs. The registry itself writes the rest when it is closed."""
    tasks = [
        asyncio.create_task(
            _repeat("last uses of tokens", registry.authenticator.write_last_uses, last_uses)
        ),
        asyncio.create_task(_repeat("usage", registry.usage.flush, usage)),
        asyncio.create_task(
            _repeat("notices", lambda: registry.notices.add_for_ended_projects(datetime.now(UTC)), notices)
        ),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _repeat(name: str, write: Callable[[], int], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await run_in_threadpool(write)
        except RegistryUnavailable:
            log.warning("%s could not be written: the registry is unavailable", name)
        except Exception:
            log.exception("%s could not be written", name)
