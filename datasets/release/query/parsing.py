"""From named parameters to a question. Every refusal names the parameter, the value and what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from datasets.refusal import did_you_mean, nearest, printable
from datasets.release.format.codebook import Codebook
from datasets.release.query.comparison import (
    ensure_dimension_unused,
    ensure_no_other_period,
    parse_comparison,
    parse_share,
)
from datasets.release.query.filters import parse_filters
from datasets.release.query.levels import parse_group_by
from datasets.release.query.measures import ensure_any_number, parse_measures, parse_ratios
from datasets.release.query.presentation import parse_confidence, parse_limit, parse_sort
from datasets.release.query.question import CodeComparison, PeriodComparison, Question
from datasets.release.query.span import FREQUENCIES, Span, parse_span
from datasets.release.query.vocabulary import (
    LABELS,
    PERIOD,
    QUESTION_PARAMETERS,
    SHAPES,
    UnknownParameter,
    listed_values,
    parameters_by_name,
    parse_choice,
)

MONTH_LENGTH = len("2026-06")
"""Length of the month with which a month and a day both begin."""


def parse_question(
    pairs: Iterable[tuple[str, str]],
    codebook: Codebook,
    months: Sequence[str],
    release: str | None = None,
    as_of: datetime | None = None,
    also: Iterable[str] = (),
) -> Question:
    """The question that named values ask of a dataset with this codebook, released for `months` (earliest first).

    `release` is the name of the release if the question asks one by name; its month is then the only one. `as_of` is the
    instant whose releases are asked, if it is not now. `also` names parameters that the caller understands: they are
    suggested, but not accepted. Raises a Refusal for anything that is not right.
    """
    parameters = parameters_by_name(pairs)
    _ensure_known_parameters(parameters, codebook, (*also,))
    measures, ratios = parse_measures(parameters, codebook), parse_ratios(parameters, codebook)
    ensure_any_number(measures, ratios, codebook)
    by_period = PERIOD in listed_values(parameters, "group_by")
    compare = parse_comparison(parameters, codebook, months)
    question = Question(
        dataset=codebook.dataset,
        measures=measures,
        span=_parse_span(parameters, compare, months, by_period),
        group_by=parse_group_by(parameters, codebook),
        filters=parse_filters(parameters, codebook),
        ratios=ratios,
        share=parse_share(parameters, codebook),
        compare=compare,
        release=release,
        as_of=as_of,
        confidence=parse_confidence(parameters),
        labels=parse_choice("labels", parameters.get("labels", LABELS[0]), LABELS),
        shape=parse_choice("shape", parameters.get("shape", SHAPES[0]), SHAPES),
        limit=parse_limit(parameters),
        cursor=parameters.get("cursor"),
    )
    if isinstance(compare, CodeComparison):
        ensure_dimension_unused(compare, question, codebook)
    return replace(question, sort=parse_sort(parameters, question, codebook))


def first_month(pairs: Iterable[tuple[str, str]], months: Sequence[str]) -> str:
    """The first of `months` that a question asks about, whose codebook says how the others of its values are understood.

    The latest month if none is named, or if what is named is not right, which `parse_question` refuses.
    """
    values = dict(pairs)
    name, _, periods = values.get("compare", "").partition(":")
    asked = periods.split(",") if name == PERIOD else [values.get("period", "")]
    first = min(period[:MONTH_LENGTH] for period in asked)
    return first if first in months else months[-1]


def _ensure_known_parameters(
    parameters: Mapping[str, str], codebook: Codebook, also: tuple[str, ...]
) -> None:
    known = (*QUESTION_PARAMETERS, *codebook.level_names)
    for name in parameters:
        if name not in known:
            raise UnknownParameter(
                f"parameter {printable(name)!r} is not known for {codebook.dataset}."
                + did_you_mean(name, (*known, *also)),
                parameter=printable(name),
                allowed=(*known, *also),
                suggestions=nearest(name, (*known, *also)),
            )


def _parse_span(
    parameters: Mapping[str, str],
    compare: CodeComparison | PeriodComparison | None,
    months: Sequence[str],
    by_period: bool,
) -> Span:
    if isinstance(compare, PeriodComparison):
        ensure_no_other_period(parameters)
        return compare.left
    return parse_span(parameters.get("period"), _parse_freq(parameters, by_period), months)


def _parse_freq(parameters: Mapping[str, str], by_period: bool) -> str | None:
    freq = parameters.get("freq")
    if freq is None:
        return "month" if by_period else None
    return parse_choice("freq", freq, FREQUENCIES)
