"""Running a question beside the event loop: a few threads, a short queue, a deadline, and nothing that outlives its asker."""

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
"""Questions of one project that run at a time; more wait."""
WATCH_AFTER = 0.05
"""Seconds for which a question runs before anybody minds whether its asker is still there: most are answered by then."""
WAITING_PER_PROJECT = 16
"""Questions of one project that wait; more are sent away."""


class TooBusy(Refusal):
    """More questions are waiting than can be answered soon."""


@dataclass
class ProjectQueue:
    """The turns of one project, and how many of its questions wait for one."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(RUNNING_PER_PROJECT))
    waiting: int = 0


class QueryExecutor:
    """As many questions at once as there are cores, of one project two; a short queue for the others."""

    def __init__(self, workers: int, seconds: float) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="question")
        self._seconds = seconds
        self._running: set[Deadline] = set()
        self._slots = asyncio.Semaphore(workers)
        self._queues: dict[str, ProjectQueue] = {}

    async def run(self, request: Request, work: Callable[[Deadline], T]) -> T:
        """What `work` gives; its query stops when the asker leaves or the deadline is over. Raises TooBusy."""
        async with self._slot(request.state.principal.project):
            return await self._run(request, work)

    @asynccontextmanager
    async def _slot(self, project: str) -> AsyncIterator[None]:
        """A turn of the project and then of the house, in the order of asking.

        Raises TooBusy where too many of the project wait, or one waited longer than it may run.
        """
        lane = self._queues.setdefault(project, ProjectQueue())
        if lane.waiting >= WAITING_PER_PROJECT:
            raise TooBusy(
                f"{WAITING_PER_PROJECT} questions of this project are waiting already; ask again when some are answered."
            )
        lane.waiting += 1
        try:
            if lane.slots.locked() or self._slots.locked():
                async with asyncio.timeout(self._seconds):
                    await self._acquire_slots(lane)
            else:
                await self._acquire_slots(lane)  # at once: a clock of its own would cost more than the turn
        except TimeoutError:
            raise TooBusy("The question waited too long for its turn; ask again in a moment.") from None
        finally:
            lane.waiting -= 1
        try:
            yield
        finally:
            self._slots.release()
            lane.slots.release()

    async def _acquire_slots(self, lane: ProjectQueue) -> None:
        await lane.slots.acquire()
        try:
            await self._slots.acquire()
        except BaseException:
            lane.slots.release()
            raise

    async def _run(self, request: Request, work: Callable[[Deadline], T]) -> T:
        deadline = Deadline(self._seconds, has_timer=False)
        self._running.add(deadline)
        loop = asyncio.get_running_loop()
        watch = DisconnectWatcher(request, deadline)
        clocks = loop.call_later(WATCH_AFTER, watch.start), loop.call_later(self._seconds, deadline.interrupt)
        try:
            return await loop.run_in_executor(self._threads, work, deadline)
        except asyncio.CancelledError:
            deadline.interrupt()
            raise
        finally:
            for clock in clocks:
                clock.cancel()
            watch.stop()
            self._running.discard(deadline)

    def close(self) -> None:
        """Stop what runs and let go of the threads."""
        for deadline in tuple(self._running):
            deadline.interrupt()
        self._threads.shutdown(wait=True, cancel_futures=True)


class DisconnectWatcher:
    """Interrupts a question whose asker leaves."""

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
