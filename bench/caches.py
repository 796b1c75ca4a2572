"""What each of the three caches of questions saves: CPU of the whole application with and without it, from one run.

A request is an ASGI call to the application of a deployment. The applications take turns, so that a busy moment of the
machine affects all of them.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from cachetools import LRUCache
from fastapi import FastAPI

from api.app import create_app
from api.settings import ApiSettings
from bench.figures import BenchmarkLine
from tests.deployment import Deployment

TIMES, ROUNDS = 20, 60
PATH = "/v1/datasets/moderation/aggregates"
QUERY = b"measure=actions&group_by=category"
BODY = json.dumps({"measure": "actions", "group_by": "category"}).encode()
CACHES = ("known queries", "resolved questions", "rendered results")


class NoCache(LRUCache[Any, Any]):
    """A cache that keeps nothing."""

    def __init__(self) -> None:
        super().__init__(1)

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Variant:
    """An application, and the text of a token for it."""

    app: FastAPI
    token: str

    async def cpu(self, method: str) -> float:
        """CPU microseconds of a request, as the mean of TIMES requests."""
        before = time.process_time()
        for _ in range(TIMES):
            await self._request(method)
        return (time.process_time() - before) / TIMES * 1e6

    async def _request(self, method: str) -> None:
        posts = method == "POST"

        received = False

        async def receive() -> dict[str, Any]:
            nonlocal received
            if received:
                await asyncio.Future()  # the client stays: no message comes
            received = True
            return {"type": "http.request", "body": BODY if posts else b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] != 200:
                raise RuntimeError(f"answered {message['status']}")

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": PATH, "raw_path": PATH.encode(), "query_string": b"" if posts else QUERY, "root_path": "",
            "headers": [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer " + self.token.encode())],
            "client": ("127.0.0.1", 4000), "server": ("127.0.0.1", 8000),
        }  # fmt: skip
        await self.app(scope, receive, send)


def figures() -> Iterator[BenchmarkLine]:
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder))
        try:
            deployment.release("moderation", "2026-06")
            yield from uvloop.run(compare_caches(deployment))
        finally:
            deployment.close()


async def compare_caches(deployment: Deployment) -> list[BenchmarkLine]:
    token = deployment.token(deployment.project(tier="extended"))
    missing = [(), *((cache,) for cache in CACHES), *((cache, CACHES[-1]) for cache in CACHES[:-1])]
    async with AsyncExitStack() as stack:
        variants = {}
        for caches in missing:
            app = _application(deployment, caches)
            await stack.enter_async_context(app.router.lifespan_context(app))
            _remove(app, caches)
            variants[caches] = Variant(app, token)
        urls, bodies = await _least_cpu(variants, "GET"), await _least_cpu(variants, "POST")
    return [
        *(
            _figure("repeated URL", (cache,), (), urls, "at least 1.1")
            for cache in ("known queries", "rendered results")
        ),
        _figure("repeated URL", ("resolved questions",), (), urls),
        *(_figure("repeated body", (cache,), (), bodies, "at least 1.1") for cache in CACHES[1:]),
        *(
            _figure("repeated URL, never rendered", (cache, CACHES[-1]), CACHES[-1:], urls)
            for cache in CACHES[:-1]
        ),
    ]


def _application(deployment: Deployment, missing: tuple[str, ...]) -> FastAPI:
    mib = 0 if "rendered results" in missing else 64
    settings = ApiSettings(
        home=deployment.home,
        answers_mib=mib,
        limit_extended="100000000/minute",
        quota_rows=10**12,
        quota_bytes=10**15,
    )
    return create_app(settings, deployment.registry_settings)


def _remove(app: FastAPI, missing: tuple[str, ...]) -> None:
    if "known queries" in missing:
        app.router.routes.remove(app.state.known_queries)
        app.state.known_queries.remember = lambda *_: None
    if "resolved questions" in missing:
        app.state.releases.resolver._resolved = NoCache()  # noqa: SLF001  only a benchmark removes it


async def _least_cpu(
    variants: Mapping[tuple[str, ...], Variant], method: str
) -> dict[tuple[str, ...], float]:
    """CPU microseconds of a request to each variant: the least of the rounds, after one to warm up."""
    rounds = [
        {caches: await variant.cpu(method) for caches, variant in variants.items()} for _ in range(ROUNDS)
    ]
    return {caches: min(each[caches] for each in rounds[1:]) for caches in variants}


def _figure(
    what: str,
    without: tuple[str, ...],
    base: tuple[str, ...],
    cpu: dict[tuple[str, ...], float],
    goal: str = "",
) -> BenchmarkLine:
    ours, peer = cpu[without], cpu[base]
    return BenchmarkLine(
        f"{what}, without the cache of {without[0]}",
        f"{ours:.0f} us",
        f"{peer:.0f} us (with it)",
        ours / peer,
        goal,
    )
