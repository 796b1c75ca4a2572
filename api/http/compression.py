"""Compression of responses with zstd or gzip, if the client accepts it (RFC 9110, section 8.4.1; RFC 8878; RFC 1952)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import zstandard
from fastapi import Request

from api.http.accept import by_preference
from api.http.media import FORMATS


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


ENCODINGS: dict[str, Callable[[], _Compressor]] = {
    "zstd": lambda: zstandard.ZstdCompressor(level=3).compressobj(),
    "gzip": lambda: zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16),
}
"""Encodings and their compressors. Neither writes a timestamp, so the same input gives the same output."""


def choose_encoding(request: Request, media_type: str) -> str | None:
    """The encoding that Accept-Encoding prefers; None if the response is not to be compressed."""
    if media_type == FORMATS["parquet"]:  # its pages are compressed already
        return None
    for name in by_preference(request.headers.get("accept-encoding", "")):
        if name in ENCODINGS:
            return name
        if name == "identity":
            return None
    return None


def compress(chunks: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    """The chunks, compressed with an encoding; unchanged if it is None."""
    if encoding is None:
        yield from chunks
        return
    compressor = ENCODINGS[encoding]()
    for chunk in chunks:
        if compressed := compressor.compress(chunk):
            yield compressed
    yield compressor.flush()
