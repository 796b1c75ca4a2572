"""What each layer costs a request: the bare route, the token, the registry, the rate limit, the quota; CPU, from one run.

Each application has one layer more than the one before it, made of the functions of the API itself. A request is an ASGI
call, so the numbers contain no server and no network.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
import uvloop
from fastapi import Depends, FastAPI, Request, Response

from api.access.authentication import authenticate_principal
from api.access.quota import ensure_quota_left
from api.access.rate_limits import RateLimits
from api.access.registry_calls import RegistryExecutor
from api.access.throttle import FailedLoginThrottle
from api.settings import ApiSettings
from auth.crypto.jwt import verify_signature
from auth.registry import Registry
from bench import caches
from bench.figures import BenchmarkLine
from tests.deployment import Deployment

TIMES = 3000
GOAL = 400.0
"""Microseconds for authentication, registry and limit, with SQLite and memory."""

Layer = Callable[[Request], Awaitable[None]]


def figures() -> Iterator[BenchmarkLine]:
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder))
        token = deployment.token(deployment.project(tier="extended"))
        try:
            yield from uvloop.run(_layer_figures(deployment.registry, Path(folder), token))
        finally:
            deployment.close()
    yield from caches.figures()


async def _layer_figures(registry: Registry, home: Path, token: str) -> list[BenchmarkLine]:
    settings = ApiSettings(home=home, limit_extended="100000000/minute")
    limits = RateLimits(settings)

    async def signature(request: Request) -> None:
        text = request.headers["authorization"].partition(" ")[2]
        verify_signature(text, registry.tokens._keyring.token_key)  # noqa: SLF001  no interface verifies a signature alone

    async def cached_signature(request: Request) -> None:
        registry.authenticator.verify(request.headers["authorization"].partition(" ")[2], datetime.now(UTC))

    async def principal(request: Request) -> None:
        request.state.principal = await authenticate_principal(request)

    async def rate_limit(request: Request) -> None:
        await principal(request)
        await limits.project(request)

    async def quota(request: Request) -> None:
        await rate_limit(request)
        await ensure_quota_left(request)

    layers: dict[str, Layer | None] = {
        "bare route": None,
        "+ signature, seen for the first time": signature,
        "+ signature, seen before": cached_signature,
        "+ throttle and registry (SQLite)": principal,
        "+ limit (memory)": rate_limit,
        "+ quota": quota,
    }
    url = os.environ.get("DAYLIGHT_TEST_REDIS", "redis://127.0.0.1:6379/15")
    if _is_reachable(url):
        with_redis = RateLimits(ApiSettings(home=home, limit_extended="100000000/minute", redis_url=url))

        async def redis_rate_limit(request: Request) -> None:
            await principal(request)
            await with_redis.project(request)

        layers["+ limit (Redis instead of memory)"] = redis_rate_limit
    executor = RegistryExecutor()
    try:
        cpu_by_layer = {
            name: await _cpu(_application(layer, registry, settings, executor), token)
            for name, layer in layers.items()
        }
    finally:
        executor.close()
    bare = cpu_by_layer["bare route"]
    lines = [
        BenchmarkLine(name, f"{cpu:.0f} us", f"{bare:.0f} us (bare route)", cpu / bare)
        for name, cpu in cpu_by_layer.items()
        if cpu != bare
    ]
    admission = cpu_by_layer["+ limit (memory)"] - bare
    lines.append(
        BenchmarkLine(
            "authentication, registry and limit together",
            f"{admission:.0f} us",
            f"{GOAL:.0f} us",
            admission / GOAL,
            "at most 1",
        )
    )
    return lines


def _is_reachable(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url, socket_connect_timeout=1).ping())
    except redis.RedisError:
        return False


def _application(
    layer: Layer | None, registry: Registry, settings: ApiSettings, executor: RegistryExecutor
) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.state.registry, app.state.settings, app.state.registry_executor = registry, settings, executor
    app.state.login_throttle = FailedLoginThrottle(settings.limit_attempts)

    async def answer() -> Response:
        return Response(b"{}", media_type="application/json")

    app.add_api_route("/v1/answer", answer, dependencies=[Depends(layer)] if layer else [])
    return app


async def _cpu(app: FastAPI, token: str) -> float:
    """CPU microseconds of a request: the least mean of five rounds, after one to warm up."""
    rounds = []
    for _ in range(6):
        before = time.process_time()
        for _ in range(TIMES // 5):
            await _request(app, token)
        rounds.append((time.process_time() - before) / (TIMES // 5) * 1e6)
    return min(rounds[1:])


async def _request(app: FastAPI, token: str) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(f"answered {message['status']}")

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/v1/answer", "raw_path": b"/v1/answer", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer " + token.encode())],
        "client": ("127.0.0.1", 4000), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    await app(scope, receive, send)
