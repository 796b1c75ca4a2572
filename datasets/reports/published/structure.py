"""Checks a published part against the rules: totals, whole numbers, shares from 0 to 1, required rows."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose

from datasets.reports.official.part import Cell
from datasets.reports.official.template import Key
from datasets.reports.published.reading import PublishedPart, is_count, is_share


def rule_violations(part: PublishedPart) -> list[str]:
    """A sentence for each violation of the rules (Implementing Regulation (EU) 2024/2835, Annex II)."""
    return [*_sum_violations(part), *_value_violations(part), *_missing_rows(part)]


def _sum_violations(part: PublishedPart) -> Iterator[str]:
    """In every column of counts, TOTAL must be the sum of the categories, and a category that of its sub-categories."""
    cells = part.cells
    parents = dict.fromkeys(row.within for row in part.template.rows if row.within)
    for parent in parents:
        for column in part.template.measures:
            if not is_count(column, parent) or (parent, column) not in cells:
                continue
            within = [row.key for row in part.template.children(parent)]
            counts = [cells[key, column] for key in within if (key, column) in cells]
            whole, parts = cells[parent, column], sum(counts)
            if counts and whole != parts:
                yield _describe_sum(parent, column, whole, parts)


def _describe_sum(parent: Key, column: str, whole: float, parts: float) -> str:
    where = f"{_describe_key(parent)}, {column.strip()}"
    if parts == 0:
        return f"{where}: {whole:,.0f} in the row itself but 0 in all rows within it"
    return f"{where}: {whole:,.0f} is not the sum of the rows within it, {parts:,.0f}"


def _value_violations(part: PublishedPart) -> Iterator[str]:
    for (key, column), number in part.cells.items():
        where = f"{_describe_key(key)}, {column.strip()}"
        if number < 0:
            yield f"{where}: {number:g} is below 0"
        elif is_share(column, key) and number > 1:
            yield f"{where}: {number:g} is not a share from 0 to 1"
        elif is_count(column, key) and not isclose(number, round(number)):
            yield f"{where}: {number:g} is not a whole number"


def _missing_rows(part: PublishedPart) -> Iterator[str]:
    present = {row.key for row in part.rows}
    missing = [row.key for row in part.template.rows if row.key not in present]
    if missing:
        few = "; ".join(_describe_key(key) for key in missing[:3])
        yield f"{len(missing)} row(s) of the template are missing: {few}{', and more' if len(missing) > 3 else ''}"


def _describe_key(key: Key) -> str:
    return " / ".join(each.strip() for each in key)


def describe_cell(cell: Cell) -> str:
    """A cell as text."""
    return f"{_describe_key(cell[0])}, {cell[1].strip()}"
