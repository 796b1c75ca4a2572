"""What stands around every request: an identifier, bounds, HEAD and OPTIONS, one line in the log."""

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

LONGEST_QUERY = 8192
COSTS_NOTHING = {HTTPStatus.NOT_MODIFIED, HTTPStatus.TOO_MANY_REQUESTS}
"""What is given back to the limit, beside every status from 500 up."""


@dataclass(slots=True)
class ResponseProgress:
    """What was sent of an answer so far."""

    status: int = 0
    """0 where nothing was."""
    bytes: int = 0
    whole: bool = False
    faulty: bool = False
    """Whether a fault of ours broke it off."""


class RequestMiddleware:
    """Plain ASGI around the application, so that streams and disconnects pass through untouched."""

    def __init__(self, app: ASGIApp, limits: RateLimits, metrics: Metrics) -> None:
        self._app = app
        self._limits = limits
        self._metrics = metrics
        self._started, self._number = secrets.token_hex(8), itertools.count()

    def _name(self) -> str:
        """The identifier of a request: drawn once for the process, then counted, so no two are alike."""
        return f"{self._started}{next(self._number):016x}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        method = state["method"] = scope["method"]
        state["request_id"] = self._name()
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # a copy: the server goes by its own, and expects no body
        request, started, sent = Request(scope, receive), time.perf_counter(), ResponseProgress()

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                if method == "OPTIONS":
                    message = _options_response(message)
                sent.status = message["status"]
                if sent.status in COSTS_NOTHING or sent.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    self._limits.refund(request)
                message["headers"] = [*message["headers"], *self._extra(request)]
            elif method == "HEAD" or sent.status == HTTPStatus.NO_CONTENT:
                message = {**message, "body": b""}
            await send(message)
            if message["type"] == "http.response.body":
                sent.bytes += len(message.get("body", b""))
                sent.whole = not message.get("more_body", False)

        try:
            await self._answer(request, receive, answered, sent)
        finally:  # also where the task is cancelled
            if sent.status in {200, 206}:
                record_usage(request, sent.bytes, faulty=sent.faulty)
            seconds, route = time.perf_counter() - started, getattr(scope.get("route"), "path", None)
            self._metrics.count(method, route, sent.status, seconds, whole=sent.whole)
            _log_request(scope, method, route, sent, seconds)

    async def _answer(
        self, request: Request, receive: Receive, answered: Send, sent: ResponseProgress
    ) -> None:
        """Let the application answer. Raises its fault where the answer has begun, so that the server breaks it off."""
        scope = request.scope
        if len(scope["query_string"]) > LONGEST_QUERY:
            error = TooLong(
                f"The query has {len(scope['query_string'])} bytes; at most {LONGEST_QUERY} are read."
            )
            await refusal_response(request, error)(scope, receive, answered)
            return
        try:
            await self._app(scope, receive, answered)
        except ClientDisconnect:
            return  # nobody is left to be told
        except Exception:
            log.exception("a fault while answering %s", request.state.request_id)
            if sent.status:
                sent.faulty = True
                self._limits.refund(request)
                raise
            await status_response(request, 500)(scope, receive, answered)

    def _extra(self, request: Request) -> list[tuple[bytes, bytes]]:
        fields = {"X-Request-Id": request.state.request_id, "X-Content-Type-Options": "nosniff"}
        state = request.scope["state"]
        if (holder := state.get("principal") or state.get("admin")) is not None:
            fields["X-Token-Expires"] = holder.expires.isoformat()
        fields |= self._limits.headers(request)
        return [(name.lower().encode(), value.encode()) for name, value in fields.items()]


def _options_response(message: Message) -> Message:
    """What OPTIONS is answered where other methods are: the router's 405, whose Allow names them, as 204."""
    allowed = [value.decode() for name, value in message["headers"] if name.lower() == b"allow"]
    if message["status"] != 405 or not allowed:
        return message
    methods = sorted({*allowed[0].split(", "), "HEAD", "OPTIONS"})
    return {**message, "status": 204, "headers": [(b"allow", ", ".join(methods).encode())]}


def _log_request(
    scope: Scope, method: str, route: str | None, sent: ResponseProgress, seconds: float
) -> None:
    """One line of JSON: no query, no token, no address."""
    principal = scope["state"].get("principal")
    log.info(
        orjson.dumps(
            {
                "request": scope["state"]["request_id"],
                "method": method,
                "route": route,
                "status": sent.status,
                "broken_off": not sent.whole,
                "ms": round(seconds * 1000, 1),
                "project": getattr(principal, "project", None),
                "token": getattr(principal, "token_id", None),
                "admin": getattr(scope["state"].get("admin"), "admin", None),
            }
        ).decode()
    )
