"""A question as a JSON body: the words of the URL as members of one object."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

from fastapi import Request

from api.refusals import Malformed, TooLarge
from datasets.refusal import printable

MAX_BODY_BYTES = 64 * 1024
BODY_EXAMPLE = '{"measure": ["actions"], "group_by": ["category"]}'


async def parameters_from_body(request: Request) -> tuple[tuple[str, str], ...]:
    """The question's names and values, repetitions included; a list stands for values with commas between.

    Raises TooLarge, and Malformed where the body is no such object or the address has a query beside it.
    """
    if request.scope["query_string"]:
        raise Malformed("A question in the body has no query beside it; write all of it into the body.")
    body = await read_body(request)
    try:
        members = json.loads(body, object_pairs_hook=_Members, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Malformed(
            f"The body is no JSON, or not in UTF-8; write an object such as {BODY_EXAMPLE}."
        ) from None
    if not isinstance(members, _Members):
        raise Malformed(f"The body is JSON, but no object; write one such as {BODY_EXAMPLE}.")
    pairs = tuple((name, _parameter_value(name, value)) for name, value in members)
    try:
        "".join(chain.from_iterable(pairs)).encode()
    except UnicodeEncodeError:
        raise Malformed("The body holds half a surrogate pair, which is no text in Unicode.") from None
    return pairs


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object in order, also those whose name stands twice."""


def _refuse_constant(text: str) -> None:
    raise ValueError(text)


async def read_body(request: Request) -> bytes:
    """The body. Raises TooLarge."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(f"The body has more than {MAX_BODY_BYTES} bytes; nothing here needs that many.")
    return body


def _parameter_value(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and value and all(isinstance(each, str) and "," not in each for each in value):
        return ",".join(value)  # an object inside is a list of pairs, and no pair is a text
    raise Malformed(
        f'{printable(name)} is neither a text nor a list of texts without commas, such as "DE,FR" or ["DE", "FR"].',
        parameter=printable(name),
    )
