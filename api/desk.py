"""Running a question beside the event loop: a few threads, a short queue, a deadline, and nothing that outlives its asker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import Request

from datasets.refusal import Refusal
from datasets.release.shelf import Deadline

T = TypeVar("T")

AT_ONCE = 2
"""Questions of one project that run at a time; more wait."""
WAITING = 16
"""Questions that wait for each thread; more are sent away."""


class TooBusy(Refusal):
    """More questions are waiting than can be answered soon."""


class Desk:
    """As many questions at once as there are cores, of one project two; a short queue for the others."""

    def __init__(self, workers: int, seconds: float) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="question")
        self._seconds = seconds
        self._running: set[Deadline] = set()
        self._all = asyncio.Semaphore(workers)
        self._projects: dict[str, asyncio.Semaphore] = {}
        self._most, self._waiting = workers * WAITING, 0

    async def run(self, request: Request, work: Callable[[Deadline], T]) -> T:
        """What `work` gives; its query stops when the asker leaves or the deadline is over. Raises TooBusy."""
        async with self._turn(request.state.principal.project):
            return await self._run(request, work)

    @asynccontextmanager
    async def _turn(self, project: str) -> AsyncIterator[None]:
        """A turn of the project and then of the house, in the order of asking. Raises TooBusy where too many wait."""
        if self._waiting >= self._most:
            raise TooBusy("More questions are waiting than can be answered soon; ask again in a moment.")
        lane = self._projects.setdefault(project, asyncio.Semaphore(AT_ONCE))
        self._waiting += 1
        try:
            await lane.acquire()
            try:
                await self._all.acquire()
            except BaseException:
                lane.release()
                raise
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._all.release()
            lane.release()

    async def _run(self, request: Request, work: Callable[[Deadline], T]) -> T:
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
