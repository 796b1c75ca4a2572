"""How many queries run at the same time: two of one project, in all as many as there are threads; then a queue, then 503."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from api.query.executor import RUNNING_PER_PROJECT, WAITING_PER_PROJECT, QueryExecutor, TooBusy
from tests.waiting import PATIENCE, become_true


def request_of(project):
    """A request of a project whose client stays connected."""

    async def receive():
        await asyncio.sleep(3600)

    return SimpleNamespace(state=SimpleNamespace(principal=SimpleNamespace(project=project)), receive=receive)


class Work:
    """Queries that run until `go` is set, and how many of each project ran at the same time at most."""

    def __init__(self):
        self.go, self.lock = threading.Event(), threading.Lock()
        self.now, self.most = {}, {}

    def of(self, project):
        def work(_deadline):
            with self.lock:
                self.now[project] = self.now.get(project, 0) + 1
                self.most[project] = max(self.most.get(project, 0), self.now[project])
            self.go.wait(PATIENCE)
            with self.lock:
                self.now[project] -= 1
            return project

        return work


def test_a_project_cannot_occupy_all_threads():
    async def run_queries():
        executor, work = QueryExecutor(workers=4, seconds=PATIENCE), Work()
        greedy = [asyncio.create_task(executor.run(request_of("a"), work.of("a"))) for _ in range(6)]
        await become_true(lambda: work.now.get("a") == RUNNING_PER_PROJECT)
        other = asyncio.create_task(executor.run(request_of("b"), work.of("b")))
        await become_true(lambda: work.now.get("b") == 1)
        assert (work.now["a"], work.now["b"]) == (RUNNING_PER_PROJECT, 1)
        work.go.set()
        assert await asyncio.gather(*greedy, other) == ["a"] * 6 + ["b"]
        assert work.most["a"] == RUNNING_PER_PROJECT
        executor.close()

    asyncio.run(run_queries())


def test_a_full_queue_of_one_project_refuses_only_that_project():
    async def run_queries():
        executor, work = QueryExecutor(workers=4, seconds=PATIENCE), Work()
        waiting = [
            asyncio.create_task(executor.run(request_of("a"), work.of("a")))
            for _ in range(WAITING_PER_PROJECT + RUNNING_PER_PROJECT)
        ]
        await become_true(lambda: work.now.get("a") == RUNNING_PER_PROJECT)
        with pytest.raises(TooBusy, match="16 questions of this project are waiting already"):
            await executor.run(request_of("a"), work.of("a"))
        other = asyncio.create_task(executor.run(request_of("b"), work.of("b")))
        await become_true(lambda: work.now.get("b") == 1)  # others are not shut out while threads are idle
        assert work.now["a"] == RUNNING_PER_PROJECT
        work.go.set()
        await asyncio.gather(*waiting, other)
        assert await executor.run(request_of("a"), work.of("a")) == "a"
        executor.close()

    asyncio.run(run_queries())


def test_a_query_that_waits_too_long_is_refused():
    async def run_queries():
        executor, work = QueryExecutor(workers=1, seconds=0.2), Work()
        first = asyncio.create_task(executor.run(request_of("a"), work.of("a")))
        await become_true(lambda: work.now.get("a") == 1)
        with pytest.raises(TooBusy, match="waited too long"):
            await executor.run(request_of("b"), work.of("b"))
        work.go.set()
        await first
        executor.close()

    asyncio.run(run_queries())


def test_a_query_that_leaves_the_queue_frees_its_slot():
    async def run_queries():
        executor, work = QueryExecutor(workers=1, seconds=PATIENCE), Work()
        first = asyncio.create_task(executor.run(request_of("a"), work.of("a")))
        await become_true(lambda: work.now.get("a") == 1)
        gone = asyncio.create_task(executor.run(request_of("b"), work.of("b")))
        await asyncio.sleep(0.05)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        work.go.set()
        assert await first == "a"
        assert await asyncio.wait_for(executor.run(request_of("b"), work.of("b")), PATIENCE) == "b"
        executor.close()

    asyncio.run(run_queries())
