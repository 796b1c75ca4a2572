"""What a part of the harmonised report looks like: its columns and rows, named as the official templates name them.

Implementing Regulation (EU) 2024/2835, Annex I, and the CSV templates published with it. Where a template ends a name in a
blank, so does this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from datasets.codelists import geography, statement

PERIOD_COLUMN = "Reporting period"
TOTAL = "TOTAL"
CATEGORY, KEYWORD = "STATEMENT_CATEGORY_", "KEYWORD_"
OTHER = f"{KEYWORD}{statement.OTHER}"
STATES = tuple(code for code in geography.COUNTRIES if code not in geography.OUTSIDE_THE_UNION)
"""The 27 Member States, in the order of the reports."""
LANGUAGES = tuple("bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split())
"""The official languages of the Union, as part 8 writes them."""

Key = tuple[str, ...]
"""Which row: the codes that tell it apart, such as (category, keyword) or (indicator, scope)."""


@dataclass(frozen=True)
class Row:
    """One row of a part: what tells it apart, the fields that are printed before the numbers, and of which row it is a part.

    `within` is the row whose number is the sum of those that lie within it; empty where nothing is summed.
    """

    key: Key
    fields: tuple[str, ...]
    within: Key = ()


@dataclass(frozen=True)
class Template:
    """One part: its official name, the columns before the numbers, the columns of numbers, and its rows.

    `context` are the columns behind the numbers, one for each; empty where the template has none.
    """

    name: str
    leading: tuple[str, ...]
    measures: tuple[str, ...]
    context: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def header(self) -> tuple[str, ...]:
        return self.leading + self.measures + self.context

    def children(self, key: Key) -> tuple[Row, ...]:
        """The rows that add up to this one."""
        return tuple(row for row in self.rows if row.within == key)


def category_rows(categories: tuple[str, ...], *leading: str, scope: str | None = None) -> Iterator[Row]:
    """TOTAL, and each category with its keywords and KEYWORD_OTHER behind it; with a scope, which stands behind them."""
    behind = () if scope is None else (scope,)

    def row(code: str, key: Key, within: Key, described: str = "") -> Row:
        return Row(
            (*key, *behind),
            (*leading, "", "", code, described, *behind),
            (*within, *behind) if within else (),
        )

    yield row(TOTAL, (TOTAL,), ())
    for category in categories:
        code = CATEGORY + category
        yield row(code, (code,), (TOTAL,))
        if category.startswith("NOT_SPECIFIED"):
            continue
        for keyword in statement.KEYWORDS[category]:
            yield row(KEYWORD + keyword, (code, KEYWORD + keyword), (code,))
        yield row(OTHER, (code, OTHER), (code,), WHAT_IS_OTHER)


WHAT_IS_OTHER = "Decisions for which another keyword, several keywords or none was recorded."
"""What KEYWORD_OTHER stands for here; the rules ask for a description of each such row (Annex II)."""

OF_NOTICES = tuple(
    code.code for code in statement.CATEGORY if code.code not in {statement.UNKNOWN, "OTHER_VIOLATION_TC"}
)
"""The categories of alleged illegal content, the unspecified one last (Annex II, 1 to 14 and 17)."""
OF_OWN_INITIATIVE = tuple(
    code.code for code in statement.CATEGORY if code.code not in {statement.UNKNOWN, "NOT_SPECIFIED_NOTICE"}
)
"""Annex II, 1 to 15."""
OF_ORDERS = (*(code for code in OF_NOTICES if code != "NOT_SPECIFIED_NOTICE"), "NOT_SPECIFIED_ORDER")
"""Annex II, 1 to 14 and 16."""
LEADING = ("Applicability", "Service", PERIOD_COLUMN)
