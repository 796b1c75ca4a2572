"""Strict parsing of base64url and JSON: only one spelling of each value is accepted, so that no two parsers can disagree."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, NoReturn

_MAX_DIGITS = 12
"""Digits; a time in seconds since 1970 has ten until the year 2286."""


def encode_segment(data: bytes) -> str:
    """Base64url without padding, RFC 7515.

    >>> encode_segment(b"daylight")
    'ZGF5bGlnaHQ'
    """
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_segment(text: str) -> bytes:
    """The inverse of `encode_segment`. Raises ValueError on any text that `encode_segment` would not have produced."""
    data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if encode_segment(data) != text:  # Python's decoder skips unknown characters and ignores trailing bits
        raise ValueError("not canonical base64url")
    return data


def read_object(data: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8. Raises ValueError if it is anything else.

    It also raises ValueError on repeated names (at any depth), NaN and infinities, fractions, integers of more than
    twelve digits, and nesting that exceeds Python's recursion limit.
    """
    try:
        found = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object_without_repeats,
            parse_constant=_refuse_number,
            parse_float=_refuse_number,
            parse_int=_short_integer,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if type(found) is not dict:
        raise ValueError("not an object")
    return found


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is repeated")
    return found


def _short_integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("an integer is too long")
    return int(digits)


def _refuse_number(_number: str) -> NoReturn:
    raise ValueError("a number is not a plain integer")
