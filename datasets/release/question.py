"""The question: the one grammar of URL, JSON and Python, and what it means for a dataset.

    measure=actions,accounts   group_by=member_state,period   category=SCAMS_AND_FRAUD,VIOLENCE
    period=2026-01..2026-06    freq=day|week|month|quarter    category=ne:OTHER_VIOLATION_TC
    release=2026-06.1|latest   confidence=0.95                labels=code|name|both
    sort=-actions,category     limit=10

A question is parsed against the codebook of the newest release it asks. Every refusal names the parameter, the
value and what would be right.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from datasets.refusal import Refusal, did_you_mean, nearest, shown
from datasets.release.codebook import Codebook
from datasets.release.span import FREQUENCIES, Period, Span, parse_span
from datasets.release.uncertainty import CONFIDENCE

GRAMMAR = ("measure", "group_by", "period", "freq", "release", "confidence", "labels", "sort", "limit")
"""The words of the grammar that are no level's name."""

PERIOD = "period"
MOST_GROUPS = 4
MOST_VALUES = 200
LONGEST_VALUE = 4096
LEAST_CONFIDENCE = 0.5
LABELS = ("code", "name", "both")
"""How a row says which cell it is: by codes, by their labels, or by both, the label in a column of its own."""
NOT = "ne:"
"""Before a filter's codes: all others."""

_LIMIT = re.compile(r"[1-9]\d{0,5}", re.ASCII)
_CONFIDENCE = re.compile(r"0\.\d{1,4}", re.ASCII)


class UnknownParameter(Refusal):
    """A parameter that is no word of the grammar and no level of the dataset."""


class RepeatedParameter(Refusal):
    """A parameter given more than once; several values stand in one, with commas."""


class UnknownMeasure(Refusal):
    """A measure the dataset does not have."""


class UnknownLevel(Refusal):
    """A group-by that names no level of the dataset."""


class UnknownCode(Refusal):
    """A filter value that is not in the level's code list."""


class MalformedQuestion(Refusal):
    """A value that is empty, too long, given too often, or contradicts another."""


@dataclass(frozen=True)
class Question:
    """A question that has been understood: measures, groups and filters of one dataset over a span of time."""

    dataset: str
    measures: tuple[str, ...]
    group_by: tuple[str, ...]
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    span: Span
    release: str | None = None
    confidence: float = CONFIDENCE
    labels: str = LABELS[0]
    sort: tuple[str, ...] = ()
    limit: int | None = None

    @property
    def periods(self) -> tuple[Period, ...]:
        return self.span.periods

    def canonical(self) -> str:
        """The question in its one spelling: defaults filled in, values in the order of the code lists.

        Asked again, it gives itself; equal questions have equal canonical forms.
        """
        parts = [("measure", self.measures), ("group_by", self.group_by), *self.filters]
        parts += [("period", (str(self.span),)), ("freq", (self.span.freq,) if self.span.freq else ())]
        parts += [("release", (self.release,) if self.release else ())]
        parts += [("confidence", (str(self.confidence),) if self.confidence != CONFIDENCE else ())]
        parts += [("labels", (self.labels,) if self.labels != LABELS[0] else ())]
        parts += [("sort", self.sort), ("limit", (str(self.limit),) if self.limit else ())]
        return "&".join(f"{name}={quote(','.join(values), safe=',.+-:')}" for name, values in parts if values)

    def id(self, releases: Sequence[str]) -> str:
        """An identifier of this question asked of these releases: 16 hexadecimal digits."""
        text = f"{self.dataset}?{self.canonical()}@{','.join(releases)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def parse_question(
    parameters: Iterable[tuple[str, str]],
    codebook: Codebook,
    months: Sequence[str],
    release: str | None = None,
    also: Iterable[str] = (),
) -> Question:
    """The question that named values ask of a dataset with this codebook, released for `months` (earliest first).

    `release` is the name of the release when the question asks one by name; its month is then the only one.
    `also` are words that the caller understands: they are suggested, not accepted. Raises a Refusal for anything
    that is not right.
    """
    given = _once(parameters)
    words = [*GRAMMAR, *(name for name in codebook.levels if name not in _days(codebook))]
    for name in given:
        if name not in words:
            raise UnknownParameter(
                f"parameter {shown(name)!r} is not known for {codebook.dataset}.{did_you_mean(name, (*words, *also))}",
                parameter=shown(name),
                value=given[name],
                allowed=(*words, *also),
                suggestions=nearest(name, (*words, *also)),
            )
    groups = _values(given, "group_by")
    by_period = PERIOD in groups
    measures = _measures(given, codebook)
    group_by = _group_by([group for group in groups if group != PERIOD], codebook)
    return Question(
        dataset=codebook.dataset,
        measures=measures,
        group_by=group_by,
        filters=tuple(
            (name, codes)
            for name in codebook.levels
            if name in given
            and len(codes := _codes(name, given, codebook)) < len(codebook.levels[name].codes)
        ),
        span=parse_span(given.get("period"), _freq(given, by_period=by_period), months),
        release=release,
        confidence=_confidence(given),
        labels=_one_of("labels", given.get("labels", LABELS[0]), LABELS),
        sort=_sort(
            given, (PERIOD, *group_by, *(m + end for m in measures for end in ("", "_se", "_lo", "_hi")))
        ),
        limit=_limit(given),
    )


def _days(codebook: Codebook) -> set[str]:
    return {level.name for level in codebook.levels.values() if level.unknown is None}


def _once(parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parameters:
        if name in given:
            raise RepeatedParameter(
                f"parameter {shown(name)!r} is given more than once; write its values in one, with commas: "
                f"{shown(name)}=A,B",
                parameter=shown(name),
                value=value,
            )
        if len(value) > LONGEST_VALUE:
            raise MalformedQuestion(
                f"parameter {shown(name)!r} has {len(value)} characters; at most {LONGEST_VALUE} are read",
                parameter=shown(name),
                value=value,
            )
        given[name] = value
    return given


def _values(given: Mapping[str, str], name: str) -> list[str]:
    """The values of a parameter that may list several; an absent one has none."""
    if name not in given:
        return []
    values = list(dict.fromkeys(given[name].split(",")))
    if "" in values:
        raise MalformedQuestion(
            f"parameter {name!r} has an empty value in {shown(given[name])!r}; leave the parameter out, or write "
            f"{name}=A or {name}=A,B",
            parameter=name,
            value=given[name],
        )
    if len(values) > MOST_VALUES:
        raise MalformedQuestion(
            f"parameter {name!r} lists {len(values)} values; at most {MOST_VALUES} are read",
            parameter=name,
            value=given[name],
        )
    return values


def _measures(given: Mapping[str, str], codebook: Codebook) -> tuple[str, ...]:
    names = [measure.name for measure in codebook.measures]
    asked = _values(given, "measure")
    if not asked:
        raise MalformedQuestion(
            f"parameter 'measure' is missing; {codebook.dataset} has {', '.join(names)}",
            parameter="measure",
            allowed=names,
        )
    for name in asked:
        if name not in names:
            raise UnknownMeasure(
                f"measure={shown(name)} is no measure of {codebook.dataset}; it has {', '.join(names)}."
                + did_you_mean(name, names),
                parameter="measure",
                value=name,
                allowed=names,
                suggestions=nearest(name, names),
            )
    return tuple(asked)


def _group_by(asked: Sequence[str], codebook: Codebook) -> tuple[str, ...]:
    allowed = [name for name in codebook.levels if name not in _days(codebook)] + [PERIOD]
    for name in asked:
        if name in _days(codebook):
            raise UnknownLevel(
                f"group_by={name} is asked as freq=day; every row then says its day in the column 'period'",
                parameter="group_by",
                value=name,
                allowed=allowed,
                suggestions=(PERIOD,),
            )
        if name not in codebook.levels:
            raise UnknownLevel(
                f"group_by={shown(name)} is no level of {codebook.dataset}.{did_you_mean(name, allowed)}",
                parameter="group_by",
                value=name,
                allowed=allowed,
                suggestions=nearest(name, allowed),
            )
    dimensions = [codebook.places[name][0] for name in asked]
    if len(set(dimensions)) < len(dimensions):
        raise MalformedQuestion(
            f"group_by={','.join(asked)} names two levels of one dimension; group by the finer one, whose codes say "
            "where they belong in the codebook",
            parameter="group_by",
            value=",".join(asked),
        )
    if len(asked) > MOST_GROUPS:
        raise MalformedQuestion(
            f"group_by names {len(asked)} levels; at most {MOST_GROUPS} can be grouped by at once",
            parameter="group_by",
            value=",".join(asked),
        )
    return tuple(asked)


def _codes(name: str, given: Mapping[str, str], codebook: Codebook) -> tuple[str, ...]:
    """The codes that a filter lets through, in the order of the list: those it names, or after `ne:` all others."""
    index = codebook.levels[name].index
    excluded = given[name].startswith(NOT)
    asked = _values({name: given[name].removeprefix(NOT)}, name)
    for code in asked:
        if code not in index:
            raise UnknownCode(
                f"{name}={shown(code)} is not in the code list {codebook.levels[name].code_list!r}."
                + did_you_mean(code, index),
                parameter=name,
                value=code,
                allowed=index,
                suggestions=nearest(code, index),
            )
    codes = tuple(code for code in index if (code in set(asked)) != excluded)
    if not codes:
        raise MalformedQuestion(
            f"{name}={NOT} names every code of {codebook.levels[name].code_list!r}, so nothing is left; name fewer",
            parameter=name,
            value=given[name],
        )
    return codes


def _confidence(given: Mapping[str, str]) -> float:
    text = given.get("confidence", str(CONFIDENCE))
    if not _CONFIDENCE.fullmatch(text) or float(text) < LEAST_CONFIDENCE:
        raise MalformedQuestion(
            f"confidence={shown(text)} is no confidence; write one from {LEAST_CONFIDENCE} to 0.9999, for example 0.9",
            parameter="confidence",
            value=text,
        )
    return float(text)


def _sort(given: Mapping[str, str], columns: Sequence[str]) -> tuple[str, ...]:
    """The columns to sort by, the first one first; a minus before one means from the largest down."""
    asked = tuple(_values(given, "sort"))
    for column in asked:
        name = column.removeprefix("-")
        if name not in columns:
            raise MalformedQuestion(
                f"sort={shown(column)} names no column of this answer; it has {', '.join(columns)}."
                + did_you_mean(name, columns),
                parameter="sort",
                value=column,
                allowed=columns,
                suggestions=nearest(name, columns),
            )
    return asked


def _limit(given: Mapping[str, str]) -> int | None:
    text = given.get("limit")
    if text is None:
        return None
    if not _LIMIT.fullmatch(text):
        raise MalformedQuestion(
            f"limit={shown(text)} is no number of rows; write a whole number from 1 to 999999",
            parameter="limit",
            value=text,
        )
    return int(text)


def _freq(given: Mapping[str, str], *, by_period: bool) -> str | None:
    freq = given.get("freq")
    if freq is None:
        return "month" if by_period else None
    return _one_of("freq", freq, FREQUENCIES)


def _one_of(name: str, value: str, options: Sequence[str]) -> str:
    if value not in options:
        raise MalformedQuestion(
            f"{name}={shown(value)} is not known; it may be {' or '.join(options)}.{did_you_mean(value, options)}",
            parameter=name,
            value=value,
            allowed=options,
            suggestions=nearest(value, options),
        )
    return value
