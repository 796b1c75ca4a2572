"""The parameters `share` and `compare`: a part of a whole, and the difference between two codes or two periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from datasets.refusal import printable
from datasets.release.format.codebook import Codebook
from datasets.release.query.filters import parse_codes
from datasets.release.query.levels import ensure_level
from datasets.release.query.question import CodeComparison, Codes, CodeSubset, PeriodComparison, Question
from datasets.release.query.span import parse_span
from datasets.release.query.vocabulary import PERIOD, MalformedQuestion, listed_values


def parse_share(parameters: Mapping[str, str], codebook: Codebook) -> CodeSubset | None:
    """The codes of a level whose share is asked for. Raises UnknownLevel, UnknownCode, MalformedQuestion."""
    text = parameters.get("share")
    if text is None:
        return None
    level, codes = _parse_level_and_codes("share", text, codebook, "category:A,B")
    if len(codes) == len(codebook.levels[level].codes):
        raise MalformedQuestion(
            f"share={printable(text)} names every code of {level}, so the share is 1",
            parameter="share",
            value=text,
        )
    return CodeSubset(level, codes)


def parse_comparison(
    parameters: Mapping[str, str], codebook: Codebook, months: Sequence[str]
) -> CodeComparison | PeriodComparison | None:
    """The two codes or the two periods that `compare` names.

    Raises UnknownLevel, UnknownCode, PeriodNotReleased, MalformedPeriod, MalformedQuestion.
    """
    text = parameters.get("compare")
    if text is None:
        return None
    name, _, rest = text.partition(":")
    sides = rest.split(",")
    if len(sides) != 2 or sides[0] == sides[1] or "" in sides:
        raise MalformedQuestion(
            f"compare={printable(text)} is not a comparison; write a level and two of its codes, such as "
            "member_state:DE,FR, or two periods, such as period:2026-05,2026-06",
            parameter="compare",
            value=text,
        )
    if name == PERIOD:
        return _parse_period_comparison(text, sides, months)
    level, _ = _parse_level_and_codes("compare", text, codebook, "member_state:DE,FR")
    return CodeComparison(level, sides[0], sides[1])


def _parse_period_comparison(text: str, sides: Sequence[str], months: Sequence[str]) -> PeriodComparison:
    left, right = (parse_span(side, None, months, parameter="compare") for side in sides)
    if left == right:
        raise MalformedQuestion(
            f"compare={printable(text)} compares a period with itself; write two different ones",
            parameter="compare",
            value=text,
        )
    return PeriodComparison(left, right)


def _parse_level_and_codes(parameter: str, text: str, codebook: Codebook, example: str) -> tuple[str, Codes]:
    """The level and the codes, in the order of the code list, that `level:A,B` names."""
    name, _, rest = text.partition(":")
    ensure_level(
        name, codebook, parameter=parameter, value=text, allowed=codebook.level_names, example=example
    )
    if not rest:
        first = next(iter(codebook.levels[name].index))
        raise MalformedQuestion(
            f"{parameter}={printable(text)} names no code; write {parameter}={name}:{first}",
            parameter=parameter,
            value=text,
        )
    return name, parse_codes(parameter, rest, codebook, name)


def ensure_no_other_period(parameters: Mapping[str, str]) -> None:
    """Raises MalformedQuestion if a question that compares periods names a period, a frequency or groups by period too."""
    other = next((name for name in ("period", "freq") if name in parameters), None)
    if other or PERIOD in listed_values(parameters, "group_by"):
        raise MalformedQuestion(
            f"compare={printable(parameters['compare'])} says which periods are meant; leave "
            f"{other or 'group_by=period'} out",
            parameter=other or "group_by",
            value=parameters.get(other or "group_by", ""),
        )


def ensure_dimension_unused(compare: CodeComparison, question: Question, codebook: Codebook) -> None:
    """Raises MalformedQuestion if the dimension whose codes are compared is grouped or filtered by as well."""
    dimension = codebook.places[compare.level][0]
    names = (*question.group_by, *(name for name, _ in question.filters))
    used = [name for name in names if codebook.places[name][0] == dimension]
    if used:
        raise MalformedQuestion(
            f"compare={compare} compares what {used[0]} groups or filters by; leave {used[0]} out",
            parameter="compare",
            value=str(compare),
        )
