"""Which format an answer has: what `format` says, or else what Accept likes best."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from fastapi import Request

from api.errors import NotAcceptable
from api.formats import FORMATS
from datasets.refusal import did_you_mean, nearest, shown
from datasets.release.query.words import MalformedQuestion, RepeatedParameter

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)


def chosen_format(request: Request, parameters: Iterable[tuple[str, str]]) -> str:
    """The format asked for. Raises RepeatedParameter; MalformedQuestion for a `format` that does not exist;
    NotAcceptable for an Accept that names none."""
    asked = [value for name, value in parameters if name == "format"]
    if len(asked) > 1:
        raise RepeatedParameter("format is given more than once; write it once", parameter="format")
    if asked:
        return one_of("format", asked[0], FORMATS)
    return _accepted(request.headers.get("accept", "*/*"))


def one_of(parameter: str, value: str, options: Mapping[str, object]) -> str:
    """The value, which is one of the options. Raises MalformedQuestion, which names them."""
    if value not in options:
        raise MalformedQuestion(
            f"{parameter}={shown(value)} is not known; it may be {', '.join(options)}."
            + did_you_mean(value, options),
            parameter=parameter,
            value=value,
            allowed=options,
            suggestions=nearest(value, options),
        )
    return value


def _accepted(accept: str) -> str:
    """The format that `accept` likes best (RFC 9110, section 12.5.1); the earliest of those it likes alike."""
    for name in _by_preference(accept):
        for known, media in FORMATS.items():
            kind = media.split(";")[0]
            if name in {kind, "*/*", f"{kind.split('/')[0]}/*"}:
                return known
    raise NotAcceptable(
        f"Accept: {shown(accept)} cannot be answered; accept one of the media types in `allowed`, or write format=json",
        parameter="Accept",
        value=accept,
        allowed=[media.split(";")[0] for media in FORMATS.values()],
    )


def _by_preference(accept: str) -> list[str]:
    liked: list[tuple[float, str]] = []
    for part in accept.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        liked.append((float(quality) if _QUALITY.fullmatch(quality) else 1.0, name))
    return [name for quality, name in sorted(liked, key=lambda pair: -pair[0]) if quality]
