"""The templates of the harmonised report: columns and rows, with the names of the official templates.

Implementing Regulation (EU) 2024/2835, Annex I, and the CSV templates published with it. If a template has
a trailing blank in a name, so does this module.
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
"""The official languages of the Union, as written in part 8."""

Key = tuple[str, ...]
"""The codes that identify a row, such as (category, keyword) or (indicator, scope)."""


@dataclass(frozen=True)
class Row:
    """One row of a part: its key, the fields printed before the numbers, and its parent row.

    `within` is the key of the row whose number is the sum of its children; empty if the row has no parent.
    """

    key: Key
    fields: tuple[str, ...]
    within: Key = ()


@dataclass(frozen=True)
class Template:
    """One part: its official name, the columns before the numbers, the columns of numbers, and its rows.

    `context` are the columns after the numbers, one for each; empty if the template has none.
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
        """The rows whose sum is this row."""
        return tuple(row for row in self.rows if row.within == key)


def category_rows(categories: tuple[str, ...], *leading: str, scope: str | None = None) -> Iterator[Row]:
    """TOTAL, then each category followed by its keywords and KEYWORD_OTHER; the scope, if given, is the last field."""
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
"""The meaning of KEYWORD_OTHER here; the rules require a description of each such row (Annex II)."""

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
