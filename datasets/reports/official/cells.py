"""The cells of a part as releases answer them: noisy, each with its standard error and interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from datasets.codelists import statement
from datasets.release.format.status import CONFIDENCE, UNRELIABLE
from datasets.reports.coverage import Coverage
from datasets.reports.finding import Inquiry
from datasets.reports.number import Number
from datasets.reports.official.template import CATEGORY, KEYWORD, OTHER, TOTAL, Key

Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
LEAVES = (statement.OTHER, statement.SEVERAL, statement.UNSPECIFIED)
"""The keywords of each category that its row KEYWORD_OTHER adds up."""


@dataclass(frozen=True)
class Asked:
    """A question for the cells of a column: a measure, and the codes that count."""

    measure: str
    filters: str = ""

    def text(self, *more: str) -> str:
        return "&".join(part for part in (f"measure={self.measure}", self.filters, *more) if part)


def of_categories(
    inquiry: Inquiry, coverage: Coverage, asked: Asked, categories: Sequence[str]
) -> dict[Key, Number]:
    """The cells of a column whose rows are categories and keywords: of the total, each category, and each keyword."""
    listed = f"category={','.join(code for code in categories if code in statement.CATEGORY.index)}"
    by_category = dict(_rows(inquiry, coverage, asked, "category", listed))
    by_keyword = dict(_rows(inquiry, coverage, asked, "keyword", listed))
    (total,) = (number for _, number in _rows(inquiry, coverage, asked, "", listed))
    found: dict[Key, Number] = {(TOTAL,): total}
    for category, whole in by_category.items():
        code = CATEGORY + category
        found[(code,)] = whole
        named = statement.KEYWORDS[category]
        found |= {(code, KEYWORD + keyword): by_keyword[keyword] for keyword in named}
        leaves = [statement.keyword_without_name(category, kind) for kind in LEAVES]
        if asked.measure == "median_hours":
            (rest,) = (n for _, n in _rows(inquiry, coverage, asked, "", f"keyword={','.join(leaves)}"))
        else:
            rest = _sum_of_siblings([by_keyword[leaf] for leaf in leaves], whole, len(named) + len(leaves))
        found[(code, OTHER)] = rest
    return found


def of_codes(inquiry: Inquiry, coverage: Coverage, asked: Asked, level: str) -> dict[str, Number]:
    """One cell for each code of a level."""
    return dict(_rows(inquiry, coverage, asked, level))


def of_one(inquiry: Inquiry, coverage: Coverage, asked: Asked) -> Number:
    """One cell."""
    ((_, number),) = _rows(inquiry, coverage, asked, "")
    return number


def _rows(
    inquiry: Inquiry, coverage: Coverage, asked: Asked, level: str, *more: str
) -> Iterator[tuple[str, Number]]:
    grouped = (f"group_by={level}",) if level else ()
    for row in inquiry.rows(coverage, asked.text(*more, *grouped, f"period={coverage.span}")):
        yield str(row.get(level, "")), Number.read(row, asked.measure)


def _sum_of_siblings(some: Sequence[Number], parent: Number, siblings: int) -> Number:
    """The sum of some of a parent's children, which the mechanism treats alike.

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


def scaled(number: Number, factor: float) -> Number:
    """A number multiplied, with its error and interval."""
    value, se, lo, hi = (
        None if each is None else each * factor for each in (number.value, number.se, number.lo, number.hi)
    )
    return Number(value, se, lo, hi, number.status)


def known(cells: Mapping[Key, Number]) -> bool:
    """Whether every cell has a value, so that they can be made to add up."""
    return all(number.value is not None for number in cells.values())
