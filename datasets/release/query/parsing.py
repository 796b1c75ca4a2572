"""From named values to a question. Every refusal names the parameter, the value and what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from datasets.refusal import did_you_mean, nearest, printable
from datasets.release.format.codebook import Codebook
from datasets.release.format.status import CONFIDENCE
from datasets.release.query.expressions import columns_of_figures, figures_of
from datasets.release.query.question import (
    CodeComparison,
    Codes,
    CodeSubset,
    PeriodComparison,
    Question,
)
from datasets.release.query.span import FREQUENCIES, parse_span
from datasets.release.query.vocabulary import (
    EXCLUDE,
    LABELS,
    PERIOD,
    QUESTION_PARAMETERS,
    SHAPES,
    MalformedQuestion,
    UnknownCode,
    UnknownLevel,
    UnknownMeasure,
    UnknownParameter,
    listed_values,
    parameters_by_name,
    parse_choice,
)

MAX_GROUPS = 4
MIN_CONFIDENCE = 0.5

_LIMIT = re.compile(r"[1-9]\d{0,5}", re.ASCII)
_CONFIDENCE = re.compile(r"0\.\d{1,4}", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})Z", re.ASCII)

Given = Mapping[str, str]


def parse_question(
    parameters: Iterable[tuple[str, str]],
    codebook: Codebook,
    months: Sequence[str],
    release: str | None = None,
    as_of: datetime | None = None,
    also: Iterable[str] = (),
) -> Question:
    """The question that named values ask of a dataset with this codebook, released for `months` (earliest first).

    `release` is the name of the release when the question asks one by name; its month is then the only one. `as_of` is the
    instant whose releases are asked, if not now's. `also` are words that the caller understands: they are suggested, not
    accepted. Raises a Refusal for anything that is not right.
    """
    given = parameters_by_name(parameters)
    _ensure_known(given, codebook, (*also,))
    measures, ratios = _measures(given, codebook), _ratios(given, codebook)
    if not measures and not ratios:
        raise _no_measure(codebook)
    groups = listed_values(given, "group_by")
    compare = _compare(given, codebook, months)
    if isinstance(compare, PeriodComparison):
        span = compare.left
        _ensure_alone(given, groups)
    else:
        freq = _freq(given, by_period=PERIOD in groups)
        span = parse_span(given.get("period"), freq, months)
    question = Question(
        dataset=codebook.dataset,
        measures=measures,
        group_by=_group_by(given, [group for group in groups if group != PERIOD], codebook),
        filters=_filters(given, codebook),
        span=span,
        ratios=ratios,
        share=_share(given, codebook),
        compare=compare,
        release=release,
        as_of=as_of,
        confidence=_confidence(given),
        labels=parse_choice("labels", given.get("labels", LABELS[0]), LABELS),
        shape=parse_choice("shape", given.get("shape", SHAPES[0]), SHAPES),
        limit=_limit(given),
        cursor=given.get("cursor"),
    )
    if isinstance(compare, CodeComparison):
        _ensure_free(compare, question, codebook)
    return replace(question, sort=_sort(given, _columns(question, codebook)))


def _ensure_known(given: Given, codebook: Codebook, also: tuple[str, ...]) -> None:
    words = (*QUESTION_PARAMETERS, *(name for name in codebook.levels if name not in _days(codebook)))
    for name in given:
        if name not in words:
            raise UnknownParameter(
                f"parameter {printable(name)!r} is not known for {codebook.dataset}.{did_you_mean(name, (*words, *also))}",
                parameter=printable(name),
                allowed=(*words, *also),
                suggestions=nearest(name, (*words, *also)),
            )


def _days(codebook: Codebook) -> set[str]:
    return {level.name for level in codebook.levels.values() if level.unknown is None}


def _measures(given: Given, codebook: Codebook) -> tuple[str, ...]:
    names = codebook.measure_names
    asked = listed_values(given, "measure")
    for name in asked:
        _ensure_measure("measure", name, names, codebook)
    return tuple(asked)


def _no_measure(codebook: Codebook) -> MalformedQuestion:
    names = codebook.measure_names
    return MalformedQuestion(
        f"parameter 'measure' is missing; {codebook.dataset} has {', '.join(names)}",
        parameter="measure",
        allowed=names,
    )


def _ensure_measure(parameter: str, name: str, names: Sequence[str], codebook: Codebook) -> None:
    if name not in names:
        raise UnknownMeasure(
            f"{parameter}={printable(name)} is no measure of {codebook.dataset}; it has {', '.join(names)}."
            + did_you_mean(name, names),
            parameter=parameter,
            value=name,
            allowed=names,
            suggestions=nearest(name, names),
        )


def _ratios(given: Given, codebook: Codebook) -> tuple[tuple[str, str], ...]:
    names = [measure.name for measure in codebook.measures]
    found = []
    for text in listed_values(given, "ratio"):
        parts = text.split("/")
        if len(parts) != 2 or parts[0] == parts[1]:
            raise MalformedQuestion(
                f"ratio={printable(text)} is no ratio; write two different measures with / between, such as "
                f"ratio={names[-1]}/{names[0]}",
                parameter="ratio",
                value=text,
            )
        for name in parts:
            _ensure_measure("ratio", name, names, codebook)
        found.append((parts[0], parts[1]))
    return tuple(found)


def _share(given: Given, codebook: Codebook) -> CodeSubset | None:
    if "share" not in given:
        return None
    level, codes = _level_and_codes("share", given["share"], codebook, "category:A,B")
    if len(codes) == len(codebook.levels[level].codes):
        raise MalformedQuestion(
            f"share={printable(given['share'])} names every code of {level}, so the share is 1",
            parameter="share",
            value=given["share"],
        )
    return CodeSubset(level, codes)


def _compare(
    given: Given, codebook: Codebook, months: Sequence[str]
) -> CodeComparison | PeriodComparison | None:
    text = given.get("compare")
    if text is None:
        return None
    name, _, rest = text.partition(":")
    sides = rest.split(",")
    if len(sides) != 2 or sides[0] == sides[1] or "" in sides:
        raise MalformedQuestion(
            f"compare={printable(text)} is no comparison; write a level and two of its codes, such as member_state:DE,FR, "
            "or two periods, such as period:2026-05,2026-06",
            parameter="compare",
            value=text,
        )
    if name == PERIOD:
        left, right = (parse_span(side, None, months, parameter="compare") for side in sides)
        if left == right:
            raise MalformedQuestion(
                f"compare={printable(text)} compares a period with itself; write two different ones",
                parameter="compare",
                value=text,
            )
        return PeriodComparison(left, right)
    level, _ = _level_and_codes("compare", text, codebook, "member_state:DE,FR")
    return CodeComparison(level, sides[0], sides[1])


def _level_and_codes(parameter: str, text: str, codebook: Codebook, example: str) -> tuple[str, Codes]:
    """The level and the codes, in the order of the list, that `level:A,B` names."""
    name, _, rest = text.partition(":")
    levels = [level for level in codebook.levels if level not in _days(codebook)]
    if name not in levels:
        raise UnknownLevel(
            f"{parameter}={printable(text)} names no level of {codebook.dataset}; write one such as {parameter}={example}."
            + did_you_mean(name, levels),
            parameter=parameter,
            value=text,
            allowed=levels,
            suggestions=nearest(name, levels),
        )
    if not rest:
        raise MalformedQuestion(
            f"{parameter}={printable(text)} names no code; write "
            f"{parameter}={name}:{next(iter(codebook.levels[name].index))}",
            parameter=parameter,
            value=text,
        )
    return name, _codes(parameter, rest, codebook, name)


def _ensure_alone(given: Given, groups: Sequence[str]) -> None:
    """A comparison of periods says itself which time it is about."""
    beside = next((name for name in ("period", "freq") if name in given), None)
    if beside or PERIOD in groups:
        raise MalformedQuestion(
            f"compare={printable(given['compare'])} says which periods are meant; leave {beside or 'group_by=period'} out",
            parameter=beside or "group_by",
            value=given.get(beside or "group_by", ""),
        )


def _ensure_free(compare: CodeComparison, question: Question, codebook: Codebook) -> None:
    """What is compared must not be grouped or filtered by as well."""
    at = codebook.places[compare.level][0]
    taken = [
        name
        for name in (*question.group_by, *(name for name, _ in question.filters))
        if codebook.places[name][0] == at
    ]
    if taken:
        raise MalformedQuestion(
            f"compare={compare} compares what {taken[0]} groups or filters by; leave {taken[0]} out",
            parameter="compare",
            value=str(compare),
        )


def _group_by(given: Given, asked: Sequence[str], codebook: Codebook) -> tuple[str, ...]:
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
                f"group_by={printable(name)} is no level of {codebook.dataset}.{did_you_mean(name, allowed)}",
                parameter="group_by",
                value=name,
                allowed=allowed,
                suggestions=nearest(name, allowed),
            )
    asked = _at_level(given, asked, codebook)
    dimensions = [codebook.places[name][0] for name in asked]
    if len(set(dimensions)) < len(dimensions):
        raise MalformedQuestion(
            f"group_by={','.join(asked)} names two levels of one dimension; group by the finer one, whose codes say "
            "where they belong in the codebook",
            parameter="group_by",
            value=",".join(asked),
        )
    if len(asked) > MAX_GROUPS:
        raise MalformedQuestion(
            f"group_by names {len(asked)} levels; at most {MAX_GROUPS} can be grouped by at once",
            parameter="group_by",
            value=",".join(asked),
        )
    return tuple(asked)


def _at_level(given: Given, groups: Sequence[str], codebook: Codebook) -> list[str]:
    """The groups, those of nested dimensions at the level that `level` names."""
    found = list(groups)
    for level in listed_values(given, "level"):
        nested = [
            name for d in codebook.dimensions if len(d.levels) > 1 for name in (n.name for n in d.levels)
        ]
        same = [
            at for at, name in enumerate(found) if level in nested and codebook.places[name][0] == codebook.places[level][0]
        ]  # fmt: skip
        if not same:
            raise UnknownLevel(
                f"level={printable(level)} is no level of a nested dimension that is grouped by; write, for example, "
                + (f"group_by={nested[0]}&level={nested[-1]}" if nested else "group_by without level"),
                parameter="level",
                value=level,
                allowed=nested,
                suggestions=nearest(level, nested),
            )
        found[same[0]] = level
    return found


def _filters(given: Given, codebook: Codebook) -> tuple[tuple[str, Codes], ...]:
    """The filters in the order of the levels; one that lets every code through is none."""
    found = []
    for name, level in codebook.levels.items():
        if name in given:
            codes = _codes(name, given[name], codebook, name)
            if len(codes) < len(level.codes):
                found.append((name, codes))
    return tuple(found)


def _codes(parameter: str, text: str, codebook: Codebook, level: str) -> Codes:
    """The codes of a level that a value lets through, in the order of the list: those it names, or after `ne:` all others."""
    entry = codebook.levels[level]
    excluded = text.startswith(EXCLUDE)
    asked = listed_values({parameter: text.removeprefix(EXCLUDE)}, parameter)
    for code in asked:
        if code not in entry.index:
            raise UnknownCode(
                f"{parameter}={printable(code)} is not in the code list {entry.code_list!r}."
                + did_you_mean(code, entry.index),
                parameter=parameter,
                value=code,
                allowed=entry.index,
                suggestions=nearest(code, entry.index),
            )
    named = set(asked)
    codes = tuple(code for code in entry.index if (code in named) != excluded)
    if not codes:
        raise MalformedQuestion(
            f"{parameter}={EXCLUDE} names every code of {entry.code_list!r}, so nothing is left; name fewer",
            parameter=parameter,
            value=text,
        )
    return codes


def _confidence(given: Given) -> float:
    text = given.get("confidence", str(CONFIDENCE))
    if not _CONFIDENCE.fullmatch(text) or float(text) < MIN_CONFIDENCE:
        raise MalformedQuestion(
            f"confidence={printable(text)} is no confidence; write one from {MIN_CONFIDENCE} to 0.9999, for example 0.9",
            parameter="confidence",
            value=text,
        )
    return float(text)


def _columns(question: Question, codebook: Codebook) -> tuple[str, ...]:
    """The columns that an answer can be sorted by."""
    if question.shape == "long":
        figures_of(question, codebook)
        return (PERIOD, *question.group_by, "measure", "value", "se", "lo", "hi")
    return (PERIOD, *question.group_by, *columns_of_figures(figures_of(question, codebook)))


def _sort(given: Given, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns to sort by, the first one first; a minus before one means from the largest down."""
    asked = tuple(listed_values(given, "sort"))
    for column in asked:
        name = column.removeprefix("-")
        if name not in columns:
            raise MalformedQuestion(
                f"sort={printable(column)} names no column of this answer; it has {', '.join(columns)}."
                + did_you_mean(name, columns),
                parameter="sort",
                value=column,
                allowed=columns,
                suggestions=nearest(name, columns),
            )
    return asked


def _limit(given: Given) -> int | None:
    text = given.get("limit")
    if text is None:
        return None
    if not _LIMIT.fullmatch(text):
        raise MalformedQuestion(
            f"limit={printable(text)} is no number of rows; write a whole number from 1 to 999999",
            parameter="limit",
            value=text,
        )
    return int(text)


def _freq(given: Given, *, by_period: bool) -> str | None:
    freq = given.get("freq")
    if freq is None:
        return "month" if by_period else None
    return parse_choice("freq", freq, FREQUENCIES)
