"""Answers as bytes: made once, kept, and given to everybody who asks the same of the same releases.

An answer is a function of the releases, the question, the format and the encoding, so its validator is known before it is
made: who has it already is told so without asking DuckDB.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from urllib.parse import quote

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
"""What the bytes of an answer depend on besides the question."""


@dataclass(frozen=True)
class RenderedResult:
    """An answer in a format and an encoding: its bytes, or chunks of them where they are many."""

    chunks: tuple[bytes, ...] | Iterator[bytes]
    headers: dict[str, str]
    rows: int

    @property
    def size(self) -> int:
        """How many bytes are kept; none of what is still to be made."""
        return sum(map(len, self.chunks)) if isinstance(self.chunks, tuple) else 0


@dataclass(frozen=True, slots=True)
class ResultRequest:
    """An answer before it is made: the releases it rests on, its validator and fields, how it is made, and what its fields
    say besides once it is."""

    releases: Releases
    sources: tuple[Release, ...]
    etag: str
    media_type: str
    headers: dict[str, str]
    render: Callable[[Deadline], RenderedResult]
    page_headers: Callable[[Request, RenderedResult], dict[str, str]] = lambda request, made: {}


class ResultCache:
    """Answers questions, and keeps the latest answers up to `most_bytes` in all."""

    def __init__(self, executor: QueryExecutor, max_bytes: int) -> None:
        self._executor = executor
        self._most = max_bytes
        self._kept: OrderedDict[str, RenderedResult] = OrderedDict()
        self._bytes = 0

    async def serve(self, request: Request, wanted_result: ResultRequest) -> Response:
        """What is wanted, made now or kept since it was made, or 304.

        Raises ReleaseWithdrawn where one of its releases is no longer served, TooBusy, and what `make` raises.
        """
        wanted_result.releases.store.ensure_none_withdrawn(wanted_result.sources)
        headers = {**CACHE_HEADERS, "ETag": wanted_result.etag, **wanted_result.headers}
        if request.method == "GET" and wanted_result.etag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        made = self._find(wanted_result.etag)
        if made is None:
            made = await self._executor.run(request, wanted_result.render)
            wanted_result.releases.store.ensure_none_withdrawn(wanted_result.sources)
            self._keep(wanted_result.etag, made)
        if request.method == "GET" and is_not_modified(request, wanted_result.etag):
            return Response(None, 304, headers)
        mark_charged(request, made.rows)
        headers |= made.headers | wanted_result.page_headers(request, made)
        if isinstance(made.chunks, tuple):
            return Response(b"".join(made.chunks), 200, headers, wanted_result.media_type)
        return StreamingResponse(made.chunks, 200, headers, wanted_result.media_type)

    def _find(self, etag: str) -> RenderedResult | None:
        if etag in self._kept:
            self._kept.move_to_end(etag)
        return self._kept.get(etag)

    def _keep(self, etag: str, made: RenderedResult) -> None:
        if not 0 < made.size <= self._most or etag in self._kept:
            return
        self._kept[etag] = made
        self._bytes += made.size
        while self._bytes > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size


def result_request(request: Request, asked: QueryRequest) -> ResultRequest:
    """The answer to a question, in the encoding that the request likes best."""
    releases, question, of, format_ = asked.releases, asked.question, asked.sources, asked.format
    encoding = choose_encoding(request, FORMATS[format_])
    names = [release.name for release in of]

    def make(deadline: Deadline) -> RenderedResult:
        return _render(releases, question, of, format_, encoding, deadline)

    def following(request: Request, made: RenderedResult) -> dict[str, str]:
        return _next_link(request, question, format_, made.headers)

    return ResultRequest(
        releases,
        of,
        etag_of(
            question.dataset, question.canonical(), question.cursor, *(release.fingerprint for release in of),
            format_, encoding, releases.cursors.key_id, *WRITER_VERSIONS,
        ),
        FORMATS[format_],
        {"Data-Release": ", ".join(names), "X-Query-Id": question.id(names)},
        make,
        following,
    )  # fmt: skip


def _render(
    releases: Releases,
    question: Question,
    asked: tuple[Release, ...],
    format_: str,
    encoding: str | None,
    deadline: Deadline,
) -> RenderedResult:
    answer = releases.ask(question, deadline, asked)
    headers = {"Content-Encoding": encoding} if encoding else {}
    if following := answer.meta["page"]["next"]:
        headers["X-Next-Cursor"] = following
    chunks = compress(RENDERERS[format_](answer), encoding)
    return RenderedResult(
        chunks if len(answer) > ROWS_PER_CHUNK else (b"".join(chunks),), headers, len(answer)
    )


def _next_link(request: Request, question: Question, format_: str, headers: dict[str, str]) -> dict[str, str]:
    """Where the next page is (RFC 8288), for questions that have an address."""
    if "X-Next-Cursor" not in headers or request.method != "GET":
        return {}
    query = f"{question.canonical()}&cursor={quote(headers['X-Next-Cursor'])}&format={format_}"
    return {"Link": f'<{request.scope["path"]}?{query}>; rel="next"'}
