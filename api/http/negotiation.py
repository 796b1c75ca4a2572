"""Content negotiation: the format of an answer is that of the parameter `format`, or else the one that Accept prefers."""

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
    """The format of the answer, one of `formats`, which maps names to media types.

    Raises RepeatedParameter, MalformedQuestion if `format` names none of them, and NotAcceptable if Accept allows none.
    """
    named = [value for name, value in parameters if name == "format"]
    if len(named) > 1:
        raise RepeatedParameter("format is given more than once; write it once", parameter="format")
    return choose_named_format(request, named[0] if named else None, formats)


def choose_named_format(request: Request, named: str | None, formats: Mapping[str, str]) -> str:
    """The format that the parameter `format` names, or else the one that Accept prefers. Raises as `choose_format`."""
    if named is not None:
        return parse_choice("format", named, tuple(formats))
    return _format_from_accept(request.headers.get("accept", "*/*"), formats)


def prefers_html(request: Request) -> bool:
    """Whether Accept prefers a page to every other type, as browsers do."""
    return by_preference(request.headers.get("accept", ""))[:1] == ["text/html"]


def _format_from_accept(accept: str, formats: Mapping[str, str]) -> str:
    """The format that `accept` prefers (RFC 9110, section 12.5.1); of several alike, the first of `formats`."""
    for accepted in by_preference(accept):
        for name, media_type in formats.items():
            kind = media_type.split(";")[0]
            if accepted in {kind, "*/*", f"{kind.split('/')[0]}/*"}:
                return name
    raise NotAcceptable(
        f"Accept: {printable(accept)} cannot be answered; accept one of the media types in `allowed`, or write format=json",
        parameter="Accept",
        value=accept,
        allowed=[media_type.split(";")[0] for media_type in formats.values()],
    )
