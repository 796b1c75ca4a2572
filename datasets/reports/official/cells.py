"""The cells of a part as the releases give them: noisy, each with its standard error and interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from datasets.codelists import statement
from datasets.release.format.status import CONFIDENCE, UNRELIABLE
from datasets.reports.coverage import Coverage
from datasets.reports.finding import IndicatorQueries
from datasets.reports.number import Number
from datasets.reports.official.template import CATEGORY, KEYWORD, OTHER, TOTAL, Key

Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
LEAVES = (statement.OTHER, statement.SEVERAL, statement.UNSPECIFIED)
"""The keywords of each category that its row KEYWORD_OTHER sums."""


@dataclass(frozen=True)
class ColumnQuestion:
    """The question for the cells of a column: a measure, and filters on codes."""

    measure: str
    filters: str = ""

    def parameters(self, *more: str) -> str:
        return "&".join(part for part in (f"measure={self.measure}", self.filters, *more) if part)


def cells_by_category(
    inquiry: IndicatorQueries, coverage: Coverage, question: ColumnQuestion, categories: Sequence[str]
) -> dict[Key, Number]:
    """The cells of a column whose rows are categories and keywords: the total, each category, and each keyword."""
    listed = f"category={','.join(code for code in categories if code in statement.CATEGORY.index)}"
    by_category = dict(_cell_numbers(inquiry, coverage, question, "category", listed))
    by_keyword = dict(_cell_numbers(inquiry, coverage, question, "keyword", listed))
    (total,) = (number for _, number in _cell_numbers(inquiry, coverage, question, "", listed))
    found: dict[Key, Number] = {(TOTAL,): total}
    for category, whole in by_category.items():
        code = CATEGORY + category
        found[(code,)] = whole
        named = statement.KEYWORDS[category]
        found |= {(code, KEYWORD + keyword): by_keyword[keyword] for keyword in named}
        leaves = [statement.keyword_without_name(category, kind) for kind in LEAVES]
        if question.measure == "median_hours":
            (rest,) = (
                n for _, n in _cell_numbers(inquiry, coverage, question, "", f"keyword={','.join(leaves)}")
            )
        else:
            rest = _sum_of_siblings([by_keyword[leaf] for leaf in leaves], whole, len(named) + len(leaves))
        found[(code, OTHER)] = rest
    return found


def cells_by_code(
    inquiry: IndicatorQueries, coverage: Coverage, question: ColumnQuestion, level: str
) -> dict[str, Number]:
    """One number for each code of a level."""
    return dict(_cell_numbers(inquiry, coverage, question, level))


def single_cell(inquiry: IndicatorQueries, coverage: Coverage, question: ColumnQuestion) -> Number:
    """The number without any grouping."""
    ((_, number),) = _cell_numbers(inquiry, coverage, question, "")
    return number


def _cell_numbers(
    inquiry: IndicatorQueries, coverage: Coverage, question: ColumnQuestion, level: str, *more: str
) -> Iterator[tuple[str, Number]]:
    grouped = (f"group_by={level}",) if level else ()
    for row in inquiry.rows(coverage, question.parameters(*more, *grouped, f"period={coverage.span}")):
        yield str(row.get(level, "")), Number.read(row, question.measure)


def _sum_of_siblings(some: Sequence[Number], parent: Number, siblings: int) -> Number:
    """The sum of some of a parent's children, which all have the same variance and covariance.

    Children of one parent have one variance v and one covariance c, and the parent's variance is siblings · v + siblings ·
    (siblings - 1) · c; so c follows, and k of them have the variance k · v + k · (k - 1) · c.
    """
    if any(number.value is None for number in (*some, parent)):
        return Number(None, None, None, None, some[0].status)
    value = sum(number.value or 0.0 for number in some)
    v, whole, k = (some[0].se or 0.0) ** 2, (parent.se or 0.0) ** 2, len(some)
    c = (whole / siblings - v) / (siblings - 1)
    se = sqrt(max(k * v + k * (k - 1) * c, 0.0))
    return Number(value, se, value - Z * se, value + Z * se, "A" if se <= UNRELIABLE * abs(value) else "U")


def scale(number: Number, factor: float) -> Number:
    """A number multiplied by a factor, with its error and interval."""
    value, se, lo, hi = (
        None if each is None else each * factor for each in (number.value, number.se, number.lo, number.hi)
    )
    return Number(value, se, lo, hi, number.status)


def have_values(cells: Mapping[Key, Number]) -> bool:
    """Whether every cell has a value, so that the cells can be made additive."""
    return all(number.value is not None for number in cells.values())
