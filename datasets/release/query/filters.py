"""The parameters that are named after a level and list its codes: which cells a question counts."""

from __future__ import annotations

from collections.abc import Mapping

from datasets.refusal import did_you_mean, nearest, printable
from datasets.release.format.codebook import Codebook
from datasets.release.query.question import Codes
from datasets.release.query.vocabulary import EXCLUDE, MalformedQuestion, UnknownCode, listed_values


def parse_filters(parameters: Mapping[str, str], codebook: Codebook) -> tuple[tuple[str, Codes], ...]:
    """The filters in the order of the levels, without those that exclude no code. Raises as `parse_codes` does."""
    filters = []
    for name, level in codebook.levels.items():
        if name in parameters:
            codes = parse_codes(name, parameters[name], codebook, name)
            if len(codes) < len(level.codes):
                filters.append((name, codes))
    return tuple(filters)


def parse_codes(parameter: str, text: str, codebook: Codebook, level: str) -> Codes:
    """The codes of a level that a value selects, in the order of the code list: those it lists, or after `ne:` all others.

    Raises UnknownCode; MalformedQuestion if no code is left.
    """
    entry = codebook.levels[level]
    is_exclusion = text.startswith(EXCLUDE)
    listed = listed_values({parameter: text.removeprefix(EXCLUDE)}, parameter)
    for code in listed:
        if code not in entry.index:
            raise UnknownCode(
                f"{parameter}={printable(code)} is not in the code list {entry.code_list!r}."
                + did_you_mean(code, entry.index),
                parameter=parameter,
                value=code,
                allowed=entry.index,
                suggestions=nearest(code, entry.index),
            )
    named = set(listed)
    codes = tuple(code for code in entry.index if (code in named) != is_exclusion)
    if not codes:
        raise MalformedQuestion(
            f"{parameter}={EXCLUDE} names every code of {entry.code_list!r}, so nothing is left; name fewer",
            parameter=parameter,
            value=text,
        )
    return codes
