"""When each token was last used: noted in memory on each request, written once a minute and when the API ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.concurrency import run_in_threadpool

from auth.errors import RegistryUnavailable
from auth.registry import Registry

log = logging.getLogger("daylight.api")

SECONDS = 60.0


@asynccontextmanager
async def written(registry: Registry, seconds: float = SECONDS) -> AsyncIterator[None]:
    """Write while the block runs. What is left when it ends, the registry writes as it closes."""
    task = asyncio.create_task(_write(registry, seconds))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _write(registry: Registry, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await run_in_threadpool(registry.write_last_uses)
        except RegistryUnavailable:
            log.warning(
                "the last uses of tokens could not be written; they are kept until the registry is back"
            )
