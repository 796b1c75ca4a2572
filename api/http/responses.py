"""Responses with an ETag, and 304 for a client that has the same bytes already."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import orjson
from fastapi import Request, Response

from api.http.compression import choose_encoding, compress
from api.http.media import FORMATS

MIN_COMPRESSED_BYTES = 1024
"""Shorter documents are not compressed, because compression gains nothing."""
CACHE_HEADERS = {
    "Cache-Control": "private, max-age=0, must-revalidate",
    "Vary": "Accept, Accept-Encoding, Authorization",
}
NO_STORE = {"Cache-Control": "no-store"}


def etag_of(*parts: object) -> str:
    """A strong ETag computed from these parts (RFC 9110, section 8.8.3).

    >>> etag_of("a", "b") == etag_of("ab", "")
    False
    """
    return f'"{hashlib.sha256(orjson.dumps([str(part) for part in parts])).hexdigest()[:32]}"'


def response_with_etag(request: Request, body: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """A response with a strong ETag, compressed if the client accepts that, or 304 if it has the same bytes already."""
    encoding = choose_encoding(request, media_type) if len(body) >= MIN_COMPRESSED_BYTES else None
    fields = {**headers, **CACHE_HEADERS, "ETag": etag_of(hashlib.sha256(body).hexdigest(), encoding)}
    if request.method == "GET" and is_not_modified(request, fields["ETag"]):
        return Response(None, 304, fields)
    if encoding:
        fields["Content-Encoding"] = encoding
        body = _compress_document(body, encoding)
    return Response(body, 200, fields, media_type)


@lru_cache(maxsize=64)
def _compress_document(body: bytes, encoding: str) -> bytes:
    """The compressed bytes, from an LRU cache: documents change only when something is released."""
    return b"".join(compress([body], encoding))


def is_not_modified(request: Request, etag: str) -> bool:
    """Whether If-None-Match names this ETag, so that the client has the same bytes (RFC 9110, section 13.1.2)."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in known or "*" in known


def json_response(request: Request, document: object) -> Response:
    """Metadata as JSON, with an ETag."""
    return response_with_etag(request, orjson.dumps(document), FORMATS["json"], {})


def no_store_response(document: object, status: int = 200) -> Response:
    """JSON that no cache may store, for what concerns one caller."""
    return Response(orjson.dumps(document), status, NO_STORE, FORMATS["json"])
