"""How many questions run at a time: of one project two, in all as many as there are threads; a short queue, then 503."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from api.query.executor import RUNNING_PER_PROJECT, WAITING_PER_PROJECT, QueryExecutor, TooBusy


def asker(project):
    """A request of a project that stays."""

    async def receive():
        await asyncio.sleep(3600)

    return SimpleNamespace(state=SimpleNamespace(principal=SimpleNamespace(project=project)), receive=receive)


class Work:
    """Questions that run until they are let go, and how many of each project ever ran at once."""

    def __init__(self):
        self.go, self.lock = threading.Event(), threading.Lock()
        self.now, self.most = {}, {}

    def of(self, project):
        def work(_deadline):
            with self.lock:
                self.now[project] = self.now.get(project, 0) + 1
                self.most[project] = max(self.most.get(project, 0), self.now[project])
            self.go.wait(10)
            with self.lock:
                self.now[project] -= 1
            return project

        return work


def test_a_project_cannot_take_all_threads():
    async def asked():
        desk, work = QueryExecutor(workers=4, seconds=10), Work()
        greedy = [asyncio.create_task(desk.run(asker("a"), work.of("a"))) for _ in range(6)]
        await asyncio.sleep(0.1)
        other = asyncio.create_task(desk.run(asker("b"), work.of("b")))
        await asyncio.sleep(0.1)
        assert (work.now["a"], work.now["b"]) == (RUNNING_PER_PROJECT, 1)
        work.go.set()
        assert await asyncio.gather(*greedy, other) == ["a"] * 6 + ["b"]
        assert work.most["a"] == RUNNING_PER_PROJECT
        desk.close()

    asyncio.run(asked())


def test_whose_queue_is_full_is_sent_away_and_others_are_not():
    async def asked():
        desk, work = QueryExecutor(workers=4, seconds=10), Work()
        waiting = [
            asyncio.create_task(desk.run(asker("a"), work.of("a")))
            for _ in range(WAITING_PER_PROJECT + RUNNING_PER_PROJECT)
        ]
        await asyncio.sleep(0.1)
        with pytest.raises(TooBusy, match="16 questions of this project are waiting already"):
            await desk.run(asker("a"), work.of("a"))
        other = asyncio.create_task(desk.run(asker("b"), work.of("b")))
        await asyncio.sleep(0.05)
        assert work.now["b"] == 1, "others are not shut out while threads are idle"
        work.go.set()
        await asyncio.gather(*waiting, other)
        assert await desk.run(asker("a"), work.of("a")) == "a"
        desk.close()

    asyncio.run(asked())


def test_who_waits_too_long_is_told_so():
    async def asked():
        desk, work = QueryExecutor(workers=1, seconds=0.2), Work()
        first = asyncio.create_task(desk.run(asker("a"), work.of("a")))
        await asyncio.sleep(0.05)
        with pytest.raises(TooBusy, match="waited too long"):
            await desk.run(asker("b"), work.of("b"))
        work.go.set()
        await first
        desk.close()

    asyncio.run(asked())


def test_who_leaves_the_queue_gives_the_turn_back():
    async def asked():
        desk, work = QueryExecutor(workers=1, seconds=10), Work()
        first = asyncio.create_task(desk.run(asker("a"), work.of("a")))
        await asyncio.sleep(0.1)
        gone = asyncio.create_task(desk.run(asker("b"), work.of("b")))
        await asyncio.sleep(0.05)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        work.go.set()
        assert await first == "a"
        assert await asyncio.wait_for(desk.run(asker("b"), work.of("b")), 5) == "b"
        desk.close()

    asyncio.run(asked())
