"""Which format an answer has: what `format` says, or else what Accept likes best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import Request

from api.http.accept import by_preference
from api.http.media import FORMATS
from api.refusals import NotAcceptable
from datasets.refusal import printable
from datasets.release.query.vocabulary import RepeatedParameter, parse_choice


def choose_format(
    request: Request, parameters: Iterable[tuple[str, str]], formats: Mapping[str, str] = FORMATS
) -> str:
    """The format asked for, of those there are here, each with its media type. Raises RepeatedParameter; MalformedQuestion
    for a `format` that does not exist; NotAcceptable for an Accept that names none."""
    asked = [value for name, value in parameters if name == "format"]
    if len(asked) > 1:
        raise RepeatedParameter("format is given more than once; write it once", parameter="format")
    if asked:
        return parse_choice("format", asked[0], tuple(formats))
    return _format_from_accept(request.headers.get("accept", "*/*"), formats)


def prefers_html(request: Request) -> bool:
    """Whether Accept prefers a page to every other type, as browsers do."""
    return by_preference(request.headers.get("accept", ""))[:1] == ["text/html"]


def _format_from_accept(accept: str, formats: Mapping[str, str]) -> str:
    """The format that `accept` likes best (RFC 9110, section 12.5.1); the earliest of those it likes alike."""
    for name in by_preference(accept):
        for known, media in formats.items():
            kind = media.split(";")[0]
            if name in {kind, "*/*", f"{kind.split('/')[0]}/*"}:
                return known
    raise NotAcceptable(
        f"Accept: {printable(accept)} cannot be answered; accept one of the media types in `allowed`, or write format=json",
        parameter="Accept",
        value=accept,
        allowed=[media.split(";")[0] for media in formats.values()],
    )
