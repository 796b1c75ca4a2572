"""Answers with validators: how one representation is told apart from another, and 304 for those who have it already."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import orjson
from fastapi import Request, Response

from api.http.compression import choose_encoding, compress
from api.http.media import FORMATS

MIN_COMPRESSED_BYTES = 1024
"""Bytes below which compressing gains nothing."""
CACHE_HEADERS = {
    "Cache-Control": "private, max-age=0, must-revalidate",
    "Vary": "Accept, Accept-Encoding, Authorization",
}
NO_STORE = {"Cache-Control": "no-store"}


def etag_of(*parts: object) -> str:
    """A strong validator of what these parts say (RFC 9110, section 8.8.3).

    >>> etag_of("a", "b") == etag_of("ab", "")
    False
    """
    return f'"{hashlib.sha256(orjson.dumps([str(part) for part in parts])).hexdigest()[:32]}"'


def response_with_etag(request: Request, body: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """An answer with a strong validator, compressed where that is asked for, or 304 where the asker has these very bytes."""
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
    """Documents change with releases at most, so each is compressed once."""
    return b"".join(compress([body], encoding))


def is_not_modified(request: Request, etag: str) -> bool:
    """Whether the asker says that it has what this validator names (RFC 9110, section 13.1.2)."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in known or "*" in known


def json_response(request: Request, document: object) -> Response:
    """Metadata as JSON, with a validator."""
    return response_with_etag(request, orjson.dumps(document), FORMATS["json"], {})


def no_store_response(document: object, status: int = 200) -> Response:
    """JSON that no cache may store, for what concerns one caller."""
    return Response(orjson.dumps(document), status, NO_STORE, FORMATS["json"])
