"""Calls of the registry in a thread pool with a timeout, so that a slow database does not block the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from fastapi import Request

from auth.errors import RegistryUnavailable

P = ParamSpec("P")
T = TypeVar("T")

TIMEOUT = 2.5
"""Seconds after which a request is answered that the registry is unavailable."""
THREADS = 12
"""Fewer than the connections in the pool to PostgreSQL, so that requests of admins find a free one."""


class RegistryExecutor:
    """The thread pool in which the registry is called."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="registry")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `work`. Raises RegistryUnavailable also if it takes longer than TIMEOUT."""
        result = asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **kwargs))
        try:
            return await asyncio.wait_for(result, TIMEOUT)
        except TimeoutError:
            raise RegistryUnavailable("silent: no answer in time") from None

    def close(self) -> None:
        """Shut the pool down without waiting: calls that still run end when the registry closes its connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)


async def call_registry(request: Request, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a method of the registry; see `RegistryExecutor.run`."""
    executor: RegistryExecutor = request.app.state.registry_executor
    return await executor.run(work, *args, **kwargs)
