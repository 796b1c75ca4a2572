"""The fast path: a route for requests that were parsed before, so that a repeated question is not parsed again.

A notebook that is run again sends the same requests again, and parsing one costs more than serving a cached result. So this
route, which is tried before all others, keeps an LRU cache of parsed requests. It checks what the ordinary route checks, with
the same functions in the same order: token, rate limit, quota, scope, withdrawn releases (docs/decisions/0017).
"""

from __future__ import annotations

from dataclasses import dataclass

from cachetools import LRUCache
from fastapi import Request
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from api.access.admission import Admission
from api.access.authorization import ensure_scope
from api.query.request import QueryRequest
from api.query.results import ResultCache, ResultRequest
from datasets.release.answer.release import Release

MAX_KNOWN = 1000
MAX_KEY_BYTES = 2048
"""Bytes of a longer key are not kept, so that the cache stays small: such a request is parsed each time."""

RequestKey = tuple[str, bytes, bytes, bytes]
"""Path, query, Accept and Accept-Encoding: everything that decides about a result and its bytes."""


@dataclass(frozen=True, slots=True)
class KnownQuery:
    """What a request asks for; valid as long as `current` are the current releases of its dataset."""

    dataset: str
    current: tuple[Release, ...]
    result: ResultRequest


class KnownQueryRoute(BaseRoute):
    """The route of known requests. `admit` is the admission of every question: token, rate limit and quota."""

    path = "/v1/datasets/{dataset}/aggregates"

    def __init__(self, admit: Admission) -> None:
        self._admit = admit
        self._known: LRUCache[RequestKey, KnownQuery] = LRUCache(MAX_KNOWN)

    def remember(self, request: Request, query: QueryRequest, result: ResultRequest) -> None:
        """Keep what this request asks for, until the current releases change or the cache is full."""
        key = _request_key(request.scope)
        if sum(map(len, key)) <= MAX_KEY_BYTES:
            # `query.current` was read before parsing: after a release in between, the entry is stale and not wrong
            self._known[key] = KnownQuery(query.question.dataset, query.current, result)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for a GET that is known and not stale; none for every other request, which the other routes handle."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return Match.NONE, {}
        key = _request_key(scope)
        known = self._known.get(key)
        if known is None:
            return Match.NONE, {}
        if known.result.releases.current(known.dataset) != known.current:
            del self._known[key]  # also frees the releases that the entry holds
            return Match.NONE, {}
        return Match.FULL, {"route": self, "known_query": known}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit the client and serve the result. Raises what admission and `ResultCache.serve` raise, and OutOfScope."""
        request, known = Request(scope, receive), scope["known_query"]
        await self._admit(request)
        ensure_scope(request, known.dataset)
        results: ResultCache = scope["app"].state.results
        response = await results.serve(request, known.result)
        await response(scope, receive, send)


def _request_key(scope: Scope) -> RequestKey:
    accept = encoding = b""
    # of several fields, the first counts, as in `request.headers.get`
    for name, value in reversed(scope["headers"]):
        if name == b"accept":
            accept = value
        elif name == b"accept-encoding":
            encoding = value
    return scope["path"], scope["query_string"], accept, encoding
