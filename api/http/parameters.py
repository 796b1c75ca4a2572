"""The query of a request: its names and values, and the parameters that a metadata route declares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, TypeAlias
from urllib.parse import parse_qsl

from fastapi import Depends, Path, Query, Request
from pydantic.json_schema import SkipJsonSchema

from api.refusals import Malformed
from datasets.refusal import did_you_mean, nearest, printable
from datasets.release.query.vocabulary import (
    MAX_VALUE_LENGTH,
    MalformedQuestion,
    RepeatedParameter,
    UnknownParameter,
)

MAX_PARAMETERS = 64

OptionalText: TypeAlias = str | SkipJsonSchema[None]
"""The type of an optional query parameter. The handler parses its text, so that a refusal says what would be right."""


def text_parameter(description: str, example: str, **schema: object) -> Any:
    """Declares a query parameter: `search: Annotated[OptionalText, text_parameter("Only codes ...", "a")] = None`."""
    extra = {"maxLength": MAX_VALUE_LENGTH, **schema, "examples": [example]}
    return Query(description=description, json_schema_extra=extra)


def choice_parameter(description: str, options: Iterable[str], example: str) -> Any:
    """Declares a query parameter that has one of these values; `parse_choice` parses it."""
    return text_parameter(description, example, enum=list(options))


def example(value: str) -> Any:
    """Declares a parameter in the path by an example alone: `name: Annotated[str, example("EX-1")]`."""
    return Path(examples=[value])


def path_choice(options: Iterable[str], example: str) -> Any:
    """Declares a parameter in the path that has one of these values."""
    return Path(json_schema_extra={"enum": list(options)}, examples=[example])


def path_pattern(pattern: str, example: str) -> Any:
    """Declares a parameter in the path by a regular expression."""
    return Path(json_schema_extra={"pattern": pattern}, examples=[example])


ReleaseName: TypeAlias = Annotated[str, path_pattern(r"^(latest|\d{4}-\d{2}\.[1-9]\d{0,3})$", "latest")]
PeriodName: TypeAlias = Annotated[str, path_pattern(r"^\d{4}-(0[1-9]|1[0-2]|Q[1-4]|H[12])$", "2026-06")]


async def parameters_of(request: Request) -> tuple[tuple[str, str], ...]:
    """The query's names and values in order, repetitions included. Raises Malformed if it is not UTF-8."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(request.scope["query_string"]),
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise Malformed(
            f"The query is not written as name=value pairs in percent-encoded UTF-8, joined by &, at most "
            f"{MAX_PARAMETERS} of them."
        ) from None
    return tuple(pairs)


def _ensure_only(names: tuple[str, ...], parameters: Iterable[tuple[str, str]]) -> None:
    """Raises UnknownParameter for a name that is not in `names`, RepeatedParameter for one that is given twice, and
    MalformedQuestion for a value that is too long.
    """
    found: set[str] = set()
    for name, value in parameters:
        if name not in names:
            known = f"it has {', '.join(names)}" if names else "it has none"
            raise UnknownParameter(
                f"parameter {printable(name)!r} is not known here; {known}.{did_you_mean(name, names)}",
                parameter=printable(name),
                allowed=names,
                suggestions=nearest(name, names),
            )
        if name in found:
            raise RepeatedParameter(
                f"{name} is given more than once; write it once", parameter=name, value=value
            )
        if len(value) > MAX_VALUE_LENGTH:
            raise MalformedQuestion(
                f"{name} has {len(value)} characters; at most {MAX_VALUE_LENGTH} are read",
                parameter=name,
                value=value,
            )
        found.add(name)


async def ensure_declared_parameters(request: Request) -> None:
    """Refuse a query with anything but the parameters that the handler of the route declares.

    Raises Malformed, UnknownParameter, RepeatedParameter, and MalformedQuestion for a value that is too long.
    """
    _ensure_only(request.scope["route"].query_names, await parameters_of(request))


DECLARED_PARAMETERS: Any = Depends(ensure_declared_parameters)
"""For the `dependencies` of a router whose routes take no question."""
