"""Results as bytes. They are rendered once and kept in an LRU cache, because the same question of the same releases has the
same bytes for every client.

The ETag is computed from the releases, the question, the format and the encoding, before anything is rendered: a client
that has the result already gets 304 without a query in DuckDB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from urllib.parse import quote

from cachetools import LRUCache
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from api.access.quota import mark_charged
from api.http.compression import choose_encoding, compress
from api.http.media import FORMATS
from api.http.responses import CACHE_HEADERS, etag_of, is_not_modified
from api.query.executor import QueryExecutor
from api.query.request import QueryRequest
from api.render.tables import RENDERERS, ROWS_PER_CHUNK
from datasets.release.answer.deadline import Deadline
from datasets.release.answer.release import Release
from datasets.release.query.question import Question
from datasets.release.releases import Releases

WRITER_VERSIONS = tuple(version(name) for name in ("daylight", "orjson", "pyarrow", "zstandard"))
"""The versions of what writes the bytes: part of every ETag, because another version may write other bytes."""


@dataclass(frozen=True)
class RenderedResult:
    """A result in a format and an encoding: its bytes, or an iterator of chunks if it is long and is to be streamed."""

    chunks: tuple[bytes, ...] | Iterator[bytes]
    headers: dict[str, str]
    rows: int

    @property
    def size(self) -> int:
        """Bytes in memory: 0 for a result that is streamed."""
        return sum(map(len, self.chunks)) if isinstance(self.chunks, tuple) else 0


@dataclass(frozen=True, slots=True)
class ResultRequest:
    """A result that is not rendered yet: the releases that it is computed from (`sources`), its ETag and headers, and how
    to render it. `late_headers` gives the headers that are known only after rendering."""

    releases: Releases
    sources: tuple[Release, ...]
    etag: str
    media_type: str
    headers: dict[str, str]
    render: Callable[[Deadline], RenderedResult]
    late_headers: Callable[[Request, RenderedResult], dict[str, str]] = lambda request, rendered: {}


class ResultCache:
    """Serves results, and keeps the latest ones in an LRU cache of `max_bytes`. Belongs to the event loop's thread."""

    def __init__(self, executor: QueryExecutor, max_bytes: int) -> None:
        self._executor = executor
        self._rendered: LRUCache[str, RenderedResult] = LRUCache(max_bytes, getsizeof=lambda each: each.size)

    async def serve(self, request: Request, result: ResultRequest) -> Response:
        """The result, from the cache if it is there, or 304 if the client has it.

        Raises ReleaseWithdrawn if one of its releases is no longer served, TooBusy, and what `result.render` raises.
        """
        ensure_served = result.releases.store.ensure_none_withdrawn
        ensure_served(result.sources)
        headers = {**CACHE_HEADERS, "ETag": result.etag, **result.headers}
        if request.method == "GET" and result.etag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        rendered = self._rendered.get(result.etag)
        if rendered is None:
            rendered = await self._executor.run(request, result.render)
            ensure_served(result.sources)  # again: one may have been withdrawn while the query ran
            if 0 < rendered.size <= self._rendered.maxsize:
                self._rendered[result.etag] = rendered
        if request.method == "GET" and is_not_modified(request, result.etag):
            return Response(None, 304, headers)
        mark_charged(request, rendered.rows)
        headers |= rendered.headers | result.late_headers(request, rendered)
        if isinstance(rendered.chunks, tuple):
            return Response(b"".join(rendered.chunks), 200, headers, result.media_type)
        return StreamingResponse(rendered.chunks, 200, headers, result.media_type)


def result_request(request: Request, query: QueryRequest) -> ResultRequest:
    """The result of a question, in the encoding that the client prefers."""
    question, sources, format_ = query.question, query.sources, query.format
    encoding = choose_encoding(request, FORMATS[format_])
    names = [release.name for release in sources]

    def render(deadline: Deadline) -> RenderedResult:
        return _render(query, encoding, deadline)

    def late_headers(request: Request, rendered: RenderedResult) -> dict[str, str]:
        return _next_link(request, question, format_, rendered.headers)

    return ResultRequest(
        query.releases,
        sources,
        etag_of(
            question.dataset, question.canonical(), question.cursor, *(release.fingerprint for release in sources),
            format_, encoding, query.releases.cursors.key_id, *WRITER_VERSIONS,
        ),
        FORMATS[format_],
        {"Data-Release": ", ".join(names), "X-Query-Id": question.id(names)},
        render,
        late_headers,
    )  # fmt: skip


def _render(query: QueryRequest, encoding: str | None, deadline: Deadline) -> RenderedResult:
    result = query.releases.ask(query.question, deadline, query.sources)
    headers = {"Content-Encoding": encoding} if encoding else {}
    if cursor := result.meta["page"]["next"]:
        headers["X-Next-Cursor"] = cursor
    chunks = compress(RENDERERS[query.format](result), encoding)
    return RenderedResult(
        chunks if len(result) > ROWS_PER_CHUNK else (b"".join(chunks),), headers, len(result)
    )


def _next_link(request: Request, question: Question, format_: str, headers: dict[str, str]) -> dict[str, str]:
    """The Link header to the next page (RFC 8288); a question in a body has no URL, and so no link."""
    if "X-Next-Cursor" not in headers or request.method != "GET":
        return {}
    query = f"{question.canonical()}&cursor={quote(headers['X-Next-Cursor'])}&format={format_}"
    return {"Link": f'<{request.scope["path"]}?{query}>; rel="next"'}
