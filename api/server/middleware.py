"""The middleware around every request: identifier, HEAD and OPTIONS, header fields of answers, usage, access log, metrics."""

from __future__ import annotations

import itertools
import logging
import secrets
import time
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.quota import record_usage
from api.access.rate_limits import RateLimits
from api.errors import refusal_response, status_response
from api.refusals import TooLong
from api.server.metrics import Metrics

log = logging.getLogger("daylight.access")

MAX_QUERY_BYTES = 8192
UNCOUNTED = {HTTPStatus.NOT_MODIFIED, HTTPStatus.TOO_MANY_REQUESTS}
"""Statuses that do not count against the rate limit, besides every status from 500 up."""


@dataclass(slots=True)
class ResponseProgress:
    """What was sent of an answer so far."""

    status: int = 0
    """0 if nothing was sent."""
    bytes: int = 0
    whole: bool = False
    faulty: bool = False
    """Whether a fault of the server broke the answer off."""


class RequestMiddleware:
    """Plain ASGI around the application, so that streams and disconnects pass through unchanged."""

    def __init__(self, app: ASGIApp, limits: RateLimits, metrics: Metrics) -> None:
        self._app = app
        self._limits = limits
        self._metrics = metrics
        self._id_prefix, self._id_numbers = secrets.token_hex(8), itertools.count()

    def _new_request_id(self) -> str:
        """A random prefix, drawn once for the process, and a counter: unique, and cheaper than drawing each time."""
        return f"{self._id_prefix}{next(self._id_numbers):016x}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        method = state["method"] = scope["method"]
        state["request_id"] = self._new_request_id()
        if method == "HEAD":
            # a copy: the server keeps its own scope, and sends no body for HEAD
            scope = {**scope, "method": "GET"}
        request, started, progress = Request(scope, receive), time.perf_counter(), ResponseProgress()
        try:
            await self._answer(request, receive, self._wrap_send(send, request, progress), progress)
        finally:  # also if the task is cancelled
            if progress.status in {200, 206}:
                record_usage(request, progress.bytes, faulty=progress.faulty)
            seconds, route = time.perf_counter() - started, getattr(scope.get("route"), "path", None)
            self._metrics.count(method, route, progress.status, seconds, whole=progress.whole)
            _log_request(scope, method, route, progress, seconds)

    def _wrap_send(self, send: Send, request: Request, progress: ResponseProgress) -> Send:
        """`send` that adds the fields of every answer, adapts answers to HEAD and OPTIONS, and keeps `progress`."""
        method = request.state.method

        async def send_observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                if method == "OPTIONS":
                    message = _options_response(message)
                progress.status = message["status"]
                if progress.status in UNCOUNTED or progress.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    self._limits.refund(request)
                message["headers"] = [*message["headers"], *self._extra_headers(request)]
            elif method == "HEAD" or progress.status == HTTPStatus.NO_CONTENT:
                message = {**message, "body": b""}
            await send(message)
            if message["type"] == "http.response.body":
                progress.bytes += len(message.get("body", b""))
                progress.whole = not message.get("more_body", False)

        return send_observed

    async def _answer(
        self, request: Request, receive: Receive, send: Send, progress: ResponseProgress
    ) -> None:
        """Run the application. Raises its exception if the answer has begun, so that the server closes the connection."""
        scope = request.scope
        if len(scope["query_string"]) > MAX_QUERY_BYTES:
            error = TooLong(
                f"The query has {len(scope['query_string'])} bytes; at most {MAX_QUERY_BYTES} are read."
            )
            await refusal_response(request, error)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            return  # there is no client left to answer
        except Exception:
            log.exception("a fault while answering %s", request.state.request_id)
            if progress.status:
                progress.faulty = True
                self._limits.refund(request)
                raise
            await status_response(request, 500)(scope, receive, send)

    def _extra_headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        fields = {"X-Request-Id": request.state.request_id, "X-Content-Type-Options": "nosniff"}
        state = request.scope["state"]
        if (holder := state.get("principal") or state.get("admin")) is not None:
            fields["X-Token-Expires"] = holder.expires.isoformat()
        fields |= self._limits.headers(request)
        return [(name.lower().encode(), value.encode()) for name, value in fields.items()]


def _options_response(message: Message) -> Message:
    """The answer to OPTIONS if the path has other methods: the router's 405, whose field Allow names them, as 204."""
    allowed = [value.decode() for name, value in message["headers"] if name.lower() == b"allow"]
    if message["status"] != 405 or not allowed:
        return message
    methods = sorted({*allowed[0].split(", "), "HEAD", "OPTIONS"})
    return {**message, "status": 204, "headers": [(b"allow", ", ".join(methods).encode())]}


def _log_request(
    scope: Scope, method: str, route: str | None, progress: ResponseProgress, seconds: float
) -> None:
    """Write one line of JSON to the access log, without query, token and address."""
    principal = scope["state"].get("principal")
    log.info(
        orjson.dumps(
            {
                "request": scope["state"]["request_id"],
                "method": method,
                "route": route,
                "status": progress.status,
                "broken_off": not progress.whole,
                "ms": round(seconds * 1000, 1),
                "project": getattr(principal, "project", None),
                "token": getattr(principal, "token_id", None),
                "admin": getattr(scope["state"].get("admin"), "admin", None),
            }
        ).decode()
    )
