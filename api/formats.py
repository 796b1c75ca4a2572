"""The formats of an answer: JSON and CSV, chosen by `format` or by Accept."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable

import orjson
from fastapi import Request, Response

from api.errors import NotAcceptable
from datasets.refusal import did_you_mean, nearest, shown
from datasets.release.answer import Answer
from datasets.release.question import MalformedQuestion, RepeatedParameter

FORMATS = {"json": "application/json", "csv": "text/csv; charset=utf-8; header=present"}


def as_json(answer: Answer) -> bytes:
    """One object: `data` has an object for each row, beside what the answer rests on."""
    names = [column.name for column in answer.columns]
    columns = [{"name": column.name, "type": column.type} for column in answer.columns]
    data = [dict(zip(names, row, strict=True)) for row in answer.rows]
    return orjson.dumps({**answer.meta, "columns": columns, "data": data})


def as_csv(answer: Answer) -> bytes:
    """A header and a line for each row (RFC 4180); numbers are written so that they read back the same."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in answer.columns])
    writer.writerows(answer.rows)
    return text.getvalue().encode()


RENDER: dict[str, Callable[[Answer], bytes]] = {"json": as_json, "csv": as_csv}


def chosen_format(request: Request, parameters: Iterable[tuple[str, str]]) -> str:
    """The format asked for. Raises RepeatedParameter; MalformedQuestion for a `format` that does not exist;
    NotAcceptable for an Accept that names none."""
    asked = [value for name, value in parameters if name == "format"]
    if len(asked) > 1:
        raise RepeatedParameter("format is given more than once; write it once", parameter="format")
    if asked:
        if asked[0] not in FORMATS:
            raise MalformedQuestion(
                f"format={shown(asked[0])} is not known; it may be {' or '.join(FORMATS)}."
                + did_you_mean(asked[0], FORMATS),
                parameter="format",
                value=asked[0],
                allowed=FORMATS,
                suggestions=nearest(asked[0], FORMATS),
            )
        return asked[0]
    return _accepted(request.headers.get("accept", "*/*"))


def _accepted(accept: str) -> str:
    ranges = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    for name in ranges:
        for known, media in FORMATS.items():
            kind = media.split(";")[0]
            if name in {kind, "*/*", f"{kind.split('/')[0]}/*"}:
                return known
    raise NotAcceptable(
        f"Accept: {shown(accept)} cannot be answered; accept application/json or text/csv, or write format=json",
        parameter="Accept",
        value=accept,
        allowed=[media.split(";")[0] for media in FORMATS.values()],
    )


def tagged(request: Request, body: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """An answer with a strong validator, or 304 where the asker has these very bytes (RFC 9110, section 13)."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    fields = {
        **headers,
        "ETag": etag,
        "Cache-Control": "private, max-age=0, must-revalidate",
        "Vary": "Accept, Authorization",
    }
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(None, 304, fields)
    return Response(body, 200, fields, media_type)


def json_response(request: Request, document: object) -> Response:
    """Metadata as JSON, with a validator."""
    return tagged(request, orjson.dumps(document), FORMATS["json"], {})
