"""The parameters of a question, the limits of their values, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from datasets.refusal import Refusal, did_you_mean, nearest, printable

QUESTION_PARAMETERS = (
    "measure", "group_by", "period", "freq", "level", "ratio", "share", "compare", "release", "as_of", "confidence",
    "labels", "shape", "sort", "limit", "cursor",
)  # fmt: skip
"""All parameters but those that are named after a level."""

PERIOD = "period"
MAX_VALUES = 200
MAX_VALUE_LENGTH = 4096
LABELS = ("code", "name", "both")
"""How a row names its cell: by codes, by their labels, or by both, with the label in a column of its own."""
SHAPES = ("wide", "long")
"""`wide`: one row for each cell, with columns for each measure. `long`: one row for each cell and measure."""
EXCLUDE = "ne:"
"""Before the codes of a filter: all codes but these."""


class UnknownParameter(Refusal):
    """A parameter that is neither one of every question nor a level of the dataset."""


class RepeatedParameter(Refusal):
    """A parameter given more than once; several values are written in one, with commas."""


class UnknownMeasure(Refusal):
    """A measure the dataset does not have."""


class UnknownLevel(Refusal):
    """A group-by that names no level of the dataset."""


class UnknownCode(Refusal):
    """A filter value that is not in the level's code list."""


class MalformedQuestion(Refusal):
    """A value that is empty, too long, given too often, or contradicts another."""


def parameters_by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters by name. Raises RepeatedParameter, and MalformedQuestion for a value that is too long."""
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name in parameters:
            raise RepeatedParameter(
                f"parameter {printable(name)!r} is given more than once; write its values in one, with commas: "
                f"{printable(name)}=A,B",
                parameter=printable(name),
                value=value,
            )
        if len(value) > MAX_VALUE_LENGTH:
            raise MalformedQuestion(
                f"parameter {printable(name)!r} has {len(value)} characters; at most {MAX_VALUE_LENGTH} are read",
                parameter=printable(name),
                value=value,
            )
        parameters[name] = value
    return parameters


def listed_values(parameters: Mapping[str, str], name: str) -> list[str]:
    """The values of a parameter that may list several, each once; none if it is absent. Raises MalformedQuestion."""
    if name not in parameters:
        return []
    values = parameters[name].split(",")
    if "" in values:
        raise MalformedQuestion(
            f"parameter {name!r} has an empty value in {printable(parameters[name])!r}; leave the parameter out, or write "
            f"{name}=A or {name}=A,B",
            parameter=name,
            value=parameters[name],
        )
    if len(values) > MAX_VALUES:
        raise MalformedQuestion(
            f"parameter {name!r} lists {len(values)} values; at most {MAX_VALUES} are read",
            parameter=name,
            value=parameters[name],
        )
    return list(dict.fromkeys(values))


def parse_choice(name: str, value: str, options: Sequence[str]) -> str:
    """The value, which is one of the options. Raises MalformedQuestion, which names them."""
    if value not in options:
        raise MalformedQuestion(
            f"{name}={printable(value)} is not known; it may be {' or '.join(options)}.{did_you_mean(value, options)}",
            parameter=name,
            value=value,
            allowed=options,
            suggestions=nearest(value, options),
        )
    return value
