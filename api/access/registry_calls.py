"""Asking the registry beside the event loop: a few threads of its own, and a bound on how long anybody waits for it."""

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
"""Seconds after which an asker is told that the registry is not there."""
THREADS = 12
"""Fewer than the connections that are kept to PostgreSQL, so that acts find one."""


class RegistryExecutor:
    """The threads in which the registry is asked."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="registry")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` gives. Raises RegistryUnavailable also where it does not answer in time."""
        asked = asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **kwargs))
        try:
            return await asyncio.wait_for(asked, TIMEOUT)
        except TimeoutError:
            raise RegistryUnavailable("silent: no answer in time") from None

    def close(self) -> None:
        """Let go of the threads; what they wait for, the registry gives up when it closes."""
        self._threads.shutdown(wait=False, cancel_futures=True)


async def call_registry(request: Request, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a method of the registry gives; see `RegistryExecutor.run`."""
    executor: RegistryExecutor = request.app.state.registry_executor
    return await executor.run(work, *args, **kwargs)
