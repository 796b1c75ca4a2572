"""What stands around every request: an identifier, bounds, HEAD and OPTIONS, one line in the log."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import TooLong, refused

log = logging.getLogger("daylight.access")

LONGEST_QUERY = 8192
Fields = Callable[[Request], dict[str, str]]


class Outer:
    """Plain ASGI around the application, so that streams and disconnects pass through untouched."""

    def __init__(self, app: ASGIApp, fields: Fields) -> None:
        self._app = app
        self._fields = fields

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = uuid.uuid4().hex
        request, started, method = Request(scope, receive), time.perf_counter(), scope["method"]
        status = 0

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *self._extra(request)]
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        if len(scope["query_string"]) > LONGEST_QUERY:
            error = TooLong(
                f"The query has {len(scope['query_string'])} bytes; at most {LONGEST_QUERY} are read."
            )
            await refused(request, error)(scope, receive, answered)
        elif method == "OPTIONS" and (allowed := _methods(scope)):
            await Response(None, 204, {"Allow": ", ".join(allowed)})(scope, receive, answered)
        else:
            if method == "HEAD":
                scope["method"] = "GET"
            await self._app(scope, receive, answered)
        _write(scope, method, status, time.perf_counter() - started)

    def _extra(self, request: Request) -> list[tuple[bytes, bytes]]:
        fields = {"X-Request-Id": request.state.request_id, "X-Content-Type-Options": "nosniff"}
        if "principal" in request.scope["state"]:
            fields["X-Token-Expires"] = request.state.principal.expires.isoformat()
        fields |= self._fields(request)
        return [(name.lower().encode(), value.encode()) for name, value in fields.items()]


def _methods(scope: Scope) -> list[str]:
    """The methods of the address, or none where nothing is served there."""
    found: set[str] = set()
    for route in getattr(scope.get("app"), "routes", ()):
        if isinstance(route, Route) and route.matches({**scope, "method": "GET"})[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted({*found, "OPTIONS"} | ({"HEAD"} if "GET" in found else set())) if found else []


def _write(scope: Scope, method: str, status: int, seconds: float) -> None:
    """One line of JSON: no query, no token, no address."""
    route = scope.get("route")
    principal = scope["state"].get("principal")
    log.info(
        orjson.dumps(
            {
                "request": scope["state"]["request_id"],
                "method": method,
                "route": getattr(route, "path", None),
                "status": status,
                "ms": round(seconds * 1000, 1),
                "project": getattr(principal, "project", None),
                "token": getattr(principal, "token_id", None),
            }
        ).decode()
    )
