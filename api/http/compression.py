"""Compression of answers, when it is asked for: zstd or gzip (RFC 9110, section 8.4.1; RFC 8878; RFC 1952)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import zstandard
from fastapi import Request

from api.http.accept import by_preference

PACKED = "application/vnd.apache.parquet"
"""The media type that is compressed already."""


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


ENCODINGS: dict[str, Callable[[], _Packer]] = {
    "zstd": lambda: zstandard.ZstdCompressor(level=3).compressobj(),
    "gzip": lambda: zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16),
}
"""What can be asked for, the best first; neither writes a time, so the same bytes give the same bytes."""


def chosen_encoding(request: Request, media_type: str) -> str | None:
    """The encoding that Accept-Encoding likes best; None for the bytes as they are."""
    if media_type == PACKED:
        return None
    for name in by_preference(request.headers.get("accept-encoding", "")):
        if name in ENCODINGS:
            return name
        if name == "identity":
            return None
    return None


def encoded(chunks: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    """The chunks in an encoding."""
    if encoding is None:
        yield from chunks
        return
    packer = ENCODINGS[encoding]()
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()
