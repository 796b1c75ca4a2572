"""The kinds of response that a handler returns. Its return annotation names one, or several, and is also their description.

`-> Json[CodeLists]` says: 200 with the JSON of this model and an ETag, or 304. A handler that returns another model does not
pass mypy, so the description cannot differ from the response. `-> Json[CatalogueEntry] | Page` has an HTML page beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

import orjson
from fastapi import Request, Response
from pydantic import BaseModel

from api.http.compression import choose_encoding, compress
from api.http.document import encode
from api.http.media import ATOM, FORMATS, HTML, MARKDOWN

MIN_COMPRESSED_BYTES = 1024
"""Shorter documents are not compressed, because compression gains nothing."""
CACHE_HEADERS = {
    "Cache-Control": "private, max-age=0, must-revalidate",
    "Vary": "Accept, Accept-Encoding, Authorization",
}
NO_STORE = {"Cache-Control": "no-store"}
TEXT_SCHEMA = {"type": "string"}
BINARY_SCHEMA = {"type": "string", "contentEncoding": "binary"}

Model = TypeVar("Model", bound=BaseModel)
ResponseObjects = dict[int, dict[str, Any]]
"""Response objects of OpenAPI 3.1 by status. As in FastAPI, `model` stands for the schema of the JSON."""


def header_references(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """References to the descriptions of these header fields."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


NOT_MODIFIED: dict[str, Any] = {
    "description": "Not modified: the client has this answer already (If-None-Match).",
    "headers": header_references(["ETag"]),
}


class DescribedResponse(Response):
    """A response whose class is its description: status, meaning, media type and header fields."""

    status: ClassVar[int] = 200
    meaning: ClassVar[str] = "Success."
    fields: ClassVar[tuple[str, ...]] = ()
    """Its own header fields, beside those that every response has; `api.spec.headers` explains each."""
    schema: ClassVar[dict[str, Any]] = TEXT_SCHEMA
    """The schema of a body that no model describes."""

    @classmethod
    def describe(cls, model: type[BaseModel] | None = None) -> ResponseObjects:
        """What OpenAPI says of this kind of response, if its JSON is that of `model`."""
        found: dict[str, Any] = {"description": cls.meaning, "headers": header_references(cls.fields)}
        if model is not None:
            found["model"] = model
        elif cls.media_type is not None:
            found["content"] = {cls.media_type.split(";")[0]: {"schema": cls.schema}}
        return {cls.status: found}


class ETagResponse(DescribedResponse):
    """Bytes with a strong ETag, compressed if the client accepts that; 304 if the client has the same bytes already."""

    fields: ClassVar[tuple[str, ...]] = ("ETag",)

    def __init__(
        self, request: Request, body: bytes, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        media_type = self.media_type or ""
        encoding = choose_encoding(request, media_type) if len(body) >= MIN_COMPRESSED_BYTES else None
        fields = {**headers, **CACHE_HEADERS, "ETag": etag_of(hashlib.sha256(body).hexdigest(), encoding)}
        if request.method == "GET" and is_not_modified(request, fields["ETag"]):
            self.media_type = None  # a response without a body has no Content-Type
            super().__init__(None, 304, fields)
            return
        if encoding:
            fields["Content-Encoding"] = encoding
            body = _compress_document(body, encoding)
        super().__init__(body, self.status, fields)

    @classmethod
    def describe(cls, model: type[BaseModel] | None = None) -> ResponseObjects:
        return {**super().describe(model), 304: NOT_MODIFIED}


class Json(ETagResponse, Generic[Model]):
    """A document as JSON, the same for everybody."""

    media_type = FORMATS["json"]

    def __init__(self, request: Request, document: Model) -> None:
        super().__init__(request, encode(document))


class JsonBytes(ETagResponse, Generic[Model]):
    """A document that was written as JSON before, for example because its bytes are signed."""

    media_type = FORMATS["json"]


class Page(ETagResponse):
    """An HTML page."""

    media_type = HTML


class Feed(ETagResponse):
    """An Atom feed (RFC 4287)."""

    media_type = ATOM


class Csv(ETagResponse):
    """A table (RFC 4180)."""

    media_type = FORMATS["csv"]


class Markdown(ETagResponse):
    """A text to read."""

    media_type = MARKDOWN


class NoStore(DescribedResponse, Generic[Model]):
    """A document as JSON that no cache may store, because it concerns one caller."""

    media_type = FORMATS["json"]

    def __init__(self, document: Model) -> None:
        super().__init__(encode(document), self.status, NO_STORE)


class Created(NoStore[Model]):
    """What was made: a token, whose text is shown only here."""

    status = 201
    meaning = "Created."


class Accepted(NoStore[Model]):
    """What the change waits for: another person must consent, or the host that builds releases must act."""

    status = 202
    meaning = (
        "Recorded. It takes effect when another person agrees or, for a withdrawal, when "
        "`daylight release withdraw` is run."
    )


class NoContent(DescribedResponse):
    """The change was made, and there is nothing to say about it."""

    status = 204

    def __init__(self) -> None:
        super().__init__(None, 204, NO_STORE)


class NotModified(DescribedResponse):
    """304, for a response that is made without `ETagResponse`."""

    status = 304

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(None, 304, headers)

    @classmethod
    def describe(cls, model: type[BaseModel] | None = None) -> ResponseObjects:
        return {304: NOT_MODIFIED}


@dataclass(frozen=True)
class Rendered:
    """Describes a response that is rendered and cached as bytes: `-> Annotated[Response, Rendered(...)]`.

    Its JSON is that of `model`; the other formats are text, or binary if Arrow or Parquet.
    """

    formats: tuple[str, ...]
    model: type[BaseModel]
    fields: tuple[str, ...] = ()
    conditional: bool = True

    def describe(self, model: type[BaseModel] | None = None) -> ResponseObjects:
        names = [media_type.split(";")[0] for media_type in self.formats]
        found: dict[str, Any] = {
            "description": "Success.",
            "headers": header_references(("ETag", *self.fields)),
            "model": self.model,
            "content": {name: {"schema": media_schema(name)} for name in names if name != FORMATS["json"]},
        }
        return {200: found, 304: NOT_MODIFIED} if self.conditional else {200: found}


def media_schema(media_type: str) -> dict[str, str]:
    """The schema of a body that is not JSON."""
    return BINARY_SCHEMA if media_type.startswith(("application/vnd.apache", "image/")) else TEXT_SCHEMA


def etag_of(*parts: object) -> str:
    """A strong ETag computed from these parts (RFC 9110, section 8.8.3).

    >>> etag_of("a", "b") == etag_of("ab", "")
    False
    """
    return f'"{hashlib.sha256(orjson.dumps([str(part) for part in parts])).hexdigest()[:32]}"'


@lru_cache(maxsize=64)
def _compress_document(body: bytes, encoding: str) -> bytes:
    """The compressed bytes, from an LRU cache: documents change only when something is released."""
    return b"".join(compress([body], encoding))


def is_not_modified(request: Request, etag: str) -> bool:
    """Whether If-None-Match names this ETag, so that the client has the same bytes (RFC 9110, section 13.1.2)."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in known or "*" in known
