"""A question as a JSON body: one object whose members are the parameters of the URL."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

from fastapi import Request

from api.http.body import read_body
from api.refusals import Malformed
from datasets.refusal import printable

BODY_EXAMPLE = '{"measure": ["actions"], "group_by": ["category"]}'


async def parameters_from_body(request: Request) -> tuple[tuple[str, str], ...]:
    """The question's parameters as names and values, repetitions included; a list becomes its values joined by commas.

    Raises TooLarge, and Malformed if the body is not such an object or the URL has a query too.
    """
    if request.scope["query_string"]:
        raise Malformed(
            "The question is in the body and the URL has a query too; write all parameters into the body."
        )
    body = await read_body(request)
    try:
        members = json.loads(body, object_pairs_hook=_Members, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Malformed(f"The body is not JSON in UTF-8; write an object such as {BODY_EXAMPLE}.") from None
    if not isinstance(members, _Members):
        raise Malformed(f"The body is JSON, but not an object; write an object such as {BODY_EXAMPLE}.")
    pairs = tuple((name, _parameter_value(name, value)) for name, value in members)
    try:
        "".join(chain.from_iterable(pairs)).encode()
    except UnicodeEncodeError:
        raise Malformed("The body contains half a surrogate pair, which is not valid Unicode text.") from None
    return pairs


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object in order, including those with the same name."""


def _refuse_constant(text: str) -> None:
    raise ValueError(text)


def _parameter_value(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and value and all(isinstance(each, str) and "," not in each for each in value):
        return ",".join(value)  # a nested object is a list of pairs, so it is refused below
    raise Malformed(
        f'{printable(name)} is neither a string nor a list of strings without commas, such as "DE,FR" or ["DE", "FR"].',
        parameter=printable(name),
    )
