"""A question asked again in the same words: its answer without reading the words a second time.

A notebook that is run again asks what it asked before, and then reading the words costs more than the answer. So a route
before all others knows the addresses that were understood. Its steps are those of every question, by the same functions
and in the same order: who asks, the limit, the quota, the scope, whether a release was withdrawn (docs/decisions/0017).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

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
"""Bytes of an address and its fields beyond which it is read each time, so that what is kept stays small."""

RequestKey = tuple[str, bytes, bytes, bytes]
"""Path, query, Accept and Accept-Encoding: all of a request that its answer depends on, but for the validators it has."""


@dataclass(frozen=True, slots=True)
class KnownQuery:
    """What an address was found to want, as long as these releases are the current ones of its dataset."""

    dataset: str
    current: tuple[Release, ...]
    result: ResultRequest


class KnownQueryRoute(BaseRoute):
    """The route of addresses that were understood before. `admitted` is how every question is let in."""

    path = "/v1/datasets/{dataset}/aggregates"

    def __init__(self, admit: Admission) -> None:
        self._admit = admit
        self._known: OrderedDict[RequestKey, KnownQuery] = OrderedDict()

    def remember(self, request: Request, asked: QueryRequest, wanted: ResultRequest) -> None:
        """Know what this address wants, from now on until something is released."""
        words = _request_key(request.scope)
        if sum(map(len, words)) <= MAX_KEY_BYTES:
            # current before it was understood: what is released meanwhile makes it unknown, not wrong
            self._known[words] = KnownQuery(asked.question.dataset, asked.current, wanted)
            self._known.move_to_end(words)
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for a GET of an address that is known and means what it meant; the other routes see to the rest."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return Match.NONE, {}
        words = _request_key(scope)
        found = self._known.get(words)
        if found is None:
            return Match.NONE, {}
        if found.result.releases.current(found.dataset) != found.current:
            del self._known[words]  # and with it the releases that it holds
            return Match.NONE, {}
        self._known.move_to_end(words)
        return Match.FULL, {"route": self, "understood": found}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, and served. Raises what admission and `Answers.serve` raise, and OutOfScope."""
        request, understood = Request(scope, receive), scope["understood"]
        await self._admit(request)
        ensure_scope(request, understood.dataset)
        answers: ResultCache = scope["app"].state.results
        answer = await answers.serve(request, understood.result)
        await answer(scope, receive, send)


def _request_key(scope: Scope) -> RequestKey:
    accept = encoding = b""
    for name, value in reversed(scope["headers"]):  # the first of several counts, as everywhere
        if name == b"accept":
            accept = value
        elif name == b"accept-encoding":
            encoding = value
    return scope["path"], scope["query_string"], accept, encoding
