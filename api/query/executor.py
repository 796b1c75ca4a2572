"""The executor of queries: a thread pool, a short queue for each project, and a deadline.

A query is interrupted when its client disconnects or the deadline passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from fastapi import Request

from datasets.refusal import Refusal
from datasets.release.answer.deadline import Deadline

T = TypeVar("T")

RUNNING_PER_PROJECT = 2
"""Queries of one project that run at the same time; more wait in its queue."""
WATCH_AFTER = 0.05
"""Seconds after which a query is watched for its client's disconnection; most queries end sooner."""
WAITING_PER_PROJECT = 16
"""Queries of one project that wait; more are refused."""


class TooBusy(Refusal):
    """More questions are waiting than can be answered soon."""


@dataclass
class ProjectQueue:
    """The semaphore of one project, and how many of its queries wait for it."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(RUNNING_PER_PROJECT))
    waiting: int = 0


class QueryExecutor:
    """Runs at most `workers` queries at the same time, of one project at most RUNNING_PER_PROJECT; others wait in a queue."""

    def __init__(self, workers: int, seconds: float) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="query")
        self._seconds = seconds
        self._running: set[Deadline] = set()
        self._slots = asyncio.Semaphore(workers)
        self._queues: dict[str, ProjectQueue] = {}

    async def run(self, request: Request, work: Callable[[Deadline], T]) -> T:
        """Run `work` in a thread and return its result. Its query is interrupted when the client disconnects or the deadline
        passes. Raises TooBusy, and what `work` raises."""
        async with self._slot(request.state.principal.project):
            return await self._run_in_thread(request, work)

    @asynccontextmanager
    async def _slot(self, project: str) -> AsyncIterator[None]:
        """Wait for a slot of the project and then for one of the executor, first come, first served.

        Raises TooBusy if too many queries of the project wait, or if this one waits longer than a query may run.
        """
        queue = self._queues.setdefault(project, ProjectQueue())
        if queue.waiting >= WAITING_PER_PROJECT:
            raise TooBusy(
                f"{WAITING_PER_PROJECT} questions of this project are waiting already; ask again when some are answered."
            )
        queue.waiting += 1
        try:
            if queue.slots.locked() or self._slots.locked():
                async with asyncio.timeout(self._seconds):
                    await self._acquire_slots(queue)
            else:  # both are free, and a timeout would cost more than the acquisition
                await self._acquire_slots(queue)
        except TimeoutError:
            raise TooBusy("The question waited too long in the queue; ask again in a moment.") from None
        finally:
            queue.waiting -= 1
        try:
            yield
        finally:
            self._slots.release()
            queue.slots.release()

    async def _acquire_slots(self, queue: ProjectQueue) -> None:
        await queue.slots.acquire()
        try:
            await self._slots.acquire()
        except BaseException:
            queue.slots.release()
            raise

    async def _run_in_thread(self, request: Request, work: Callable[[Deadline], T]) -> T:
        deadline = Deadline(self._seconds, has_timer=False)
        self._running.add(deadline)
        loop = asyncio.get_running_loop()
        watcher = DisconnectWatcher(request, deadline)
        timers = (
            loop.call_later(WATCH_AFTER, watcher.start),
            loop.call_later(self._seconds, deadline.interrupt),
        )
        try:
            return await loop.run_in_executor(self._threads, work, deadline)
        except asyncio.CancelledError:
            deadline.interrupt()
            raise
        finally:
            for timer in timers:
                timer.cancel()
            watcher.stop()
            self._running.discard(deadline)

    def close(self) -> None:
        """Interrupt the running queries and stop the threads."""
        for deadline in tuple(self._running):
            deadline.interrupt()
        self._threads.shutdown(wait=True, cancel_futures=True)


class DisconnectWatcher:
    """Interrupts a query when its client disconnects."""

    def __init__(self, request: Request, deadline: Deadline) -> None:
        self._request = request
        self._deadline = deadline
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.ensure_future(self._interrupt_on_disconnect())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _interrupt_on_disconnect(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self._deadline.interrupt()
