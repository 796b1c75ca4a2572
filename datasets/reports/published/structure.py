"""Whether a published part keeps the rules: totals, whole numbers, shares from 0 to 1, rows that the template asks for."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose

from datasets.reports.official.part import Cell
from datasets.reports.official.template import Key
from datasets.reports.published.reading import PublishedPart, is_count, is_share


def breaches(part: PublishedPart) -> list[str]:
    """A sentence for each rule that the part does not keep (Implementing Regulation (EU) 2024/2835, Annex II)."""
    return [*_sums(part), *_kinds(part), *_missing(part)]


def _sums(part: PublishedPart) -> Iterator[str]:
    """TOTAL is the sum of the categories, a category of its sub-categories, in every column that counts."""
    cells = part.cells
    parents = dict.fromkeys(row.within for row in part.template.rows if row.within)
    for parent in parents:
        for column in part.template.measures:
            if not is_count(column, parent) or (parent, column) not in cells:
                continue
            within = [row.key for row in part.template.children(parent)]
            told = [cells[key, column] for key in within if (key, column) in cells]
            whole, parts = cells[parent, column], sum(told)
            if told and whole != parts:
                yield _sentence(parent, column, whole, parts)


def _sentence(parent: Key, column: str, whole: float, parts: float) -> str:
    where = f"{_named(parent)}, {column.strip()}"
    if parts == 0:
        return f"{where}: {whole:,.0f} stands on the row itself and 0 on all rows within it"
    return f"{where}: {whole:,.0f} is not the sum of the rows within it, {parts:,.0f}"


def _kinds(part: PublishedPart) -> Iterator[str]:
    for (key, column), number in part.cells.items():
        where = f"{_named(key)}, {column.strip()}"
        if number < 0:
            yield f"{where}: {number:g} is below 0"
        elif is_share(column, key) and number > 1:
            yield f"{where}: {number:g} is no share from 0 to 1"
        elif is_count(column, key) and not isclose(number, round(number)):
            yield f"{where}: {number:g} is not whole"


def _missing(part: PublishedPart) -> Iterator[str]:
    there = {row.key for row in part.rows}
    gone = [row.key for row in part.template.rows if row.key not in there]
    if gone:
        few = "; ".join(_named(key) for key in gone[:3])
        yield f"{len(gone)} row(s) of the template are missing: {few}{', and more' if len(gone) > 3 else ''}"


def _named(key: Key) -> str:
    return " / ".join(each.strip() for each in key)


def cell_named(cell: Cell) -> str:
    """A cell in words."""
    return f"{_named(cell[0])}, {cell[1].strip()}"
