"""Running a question beside the event loop: a few threads, a deadline, and nothing that outlives its asker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import Request

from datasets.release.shelf import Deadline

T = TypeVar("T")


class Desk:
    """As many questions at once as there are cores; the others wait their turn."""

    def __init__(self, workers: int, seconds: float) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="question")
        self._seconds = seconds
        self._running: set[Deadline] = set()

    async def run(self, request: Request, work: Callable[[Deadline], T]) -> T:
        """What `work` gives; its query stops when the asker leaves or the deadline is over."""
        deadline = Deadline(self._seconds, watched=True)
        self._running.add(deadline)
        loop = asyncio.get_running_loop()
        answering: asyncio.Future[T] = loop.run_in_executor(self._threads, work, deadline)
        leaving: asyncio.Future[None] = asyncio.ensure_future(_left(request))
        try:
            tasks: tuple[asyncio.Future[Any], ...] = (answering, leaving)
            await asyncio.wait(tasks, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                deadline.interrupt()
            return await answering
        finally:
            leaving.cancel()
            self._running.discard(deadline)

    def close(self) -> None:
        """Stop what runs and let go of the threads."""
        for deadline in tuple(self._running):
            deadline.interrupt()
        self._threads.shutdown(wait=True, cancel_futures=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
