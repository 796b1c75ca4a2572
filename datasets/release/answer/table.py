"""Answers: every cell of the asked grid, each with its standard error, interval and status, and what they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from datasets.privacy.estimate import Estimate, concatenate
from datasets.release.format.status import UNRELIABLE
from datasets.release.query.question import Question
from datasets.release.query.vocabulary import PERIOD

ColumnType = Literal["string", "date", "float"]
ColumnData = list[str] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ResultColumn:
    name: str
    type: ColumnType


@dataclass(frozen=True)
class FigureValues:
    """One figure: its estimate in each cell, and in which cells it was not collected."""

    estimate: Estimate
    not_collected: NDArray[np.bool_]

    def numbers(self) -> tuple[NDArray[np.float64], ...]:
        """Value, standard error and both ends. What was not collected has none: a noisy zero would be taken for a count."""
        e = self.estimate
        each = (e.value, e.error, e.low, e.high)
        if not self.not_collected.any():
            return each
        return tuple(np.where(self.not_collected, np.nan, numbers) for numbers in each)

    def status(self) -> NDArray[np.str_]:
        with np.errstate(invalid="ignore"):
            reliable = self.estimate.error <= UNRELIABLE * np.abs(self.estimate.value)
            reliable &= np.isfinite(self.estimate.low) & np.isfinite(self.estimate.high)
        return np.where(self.not_collected, "L", np.where(reliable, "A", "U"))


@dataclass(frozen=True)
class RowBlock:
    """The rows of some periods: their labels, along each grouped level what stands in the row for each code (the code, its
    label, or both), and each figure in the cells: periods first, the last group fastest."""

    periods: tuple[str, ...]
    codes: list[list[tuple[str, ...]]]
    figures: dict[str, FigureValues]


@dataclass(frozen=True)
class Result:
    """A dense table and its metadata: for each column its data, text or numbers, NaN where there is no number."""

    columns: tuple[ResultColumn, ...]
    data: tuple[ColumnData, ...]
    meta: dict[str, Any]

    def __len__(self) -> int:
        return len(self.data[0])

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The rows as tuples in the order of `columns`, None where there is no number."""
        return list(zip(*map(_listed, self.data), strict=True))

    def chunks(self, size: int) -> Iterator[Result]:
        """The same answer, `size` rows at a time."""
        for at in range(0, len(self), size):
            yield Result(self.columns, tuple(each[at : at + size] for each in self.data), self.meta)


def build_table(
    question: Question, blocks: Sequence[RowBlock]
) -> tuple[tuple[ResultColumn, ...], tuple[ColumnData, ...]]:
    """The columns of an answer and their data, in the order of the periods and of the code lists."""
    keys = _keys(question, blocks)
    figures = {
        name: FigureValues(
            concatenate([block.figures[name].estimate for block in blocks]),
            np.concatenate([block.figures[name].not_collected for block in blocks]),
        )
        for name in blocks[0].figures
    }
    table = _long(keys, figures) if question.shape == "long" else _wide(keys, figures)
    return tuple(table), tuple(table.values())


def _keys(question: Question, blocks: Sequence[RowBlock]) -> dict[ResultColumn, ColumnData]:
    """`period` and the grouped levels, with their labels where both are asked."""
    suffixes = ("", "_label") if question.labels == "both" else ("",)
    names = [name + suffix for name in question.group_by for suffix in suffixes]
    cells = [
        (label, *chain.from_iterable(cell))
        for block in blocks
        for label in block.periods
        for cell in product(*block.codes)
    ]
    columns = [
        ResultColumn(PERIOD, "date" if question.is_by_day else "string"),
        *(ResultColumn(n, "string") for n in names),
    ]
    return {column: list(each) for column, each in zip(columns, zip(*cells, strict=True), strict=True)}


def _wide(
    keys: dict[ResultColumn, ColumnData], figures: dict[str, FigureValues]
) -> dict[ResultColumn, ColumnData]:
    table = dict(keys)
    for name, measured in figures.items():
        for end, numbers in zip(("", "_se", "_lo", "_hi"), measured.numbers(), strict=True):
            table[ResultColumn(name + end, "float")] = numbers
        table[ResultColumn(f"{name}_status", "string")] = measured.status().tolist()
    return table


def _long(
    keys: dict[ResultColumn, ColumnData], figures: dict[str, FigureValues]
) -> dict[ResultColumn, ColumnData]:
    """One row for each cell and figure, the figures of a cell one after the other."""
    table: dict[ResultColumn, ColumnData] = {
        column: [value for value in data for _ in figures] for column, data in keys.items()
    }
    cells = len(next(iter(figures.values())).not_collected)
    table[ResultColumn("measure", "string")] = list(figures) * cells
    numbers = [
        np.stack(each, axis=1).ravel() for each in zip(*(m.numbers() for m in figures.values()), strict=True)
    ]
    for name, each in zip(("value", "se", "lo", "hi"), numbers, strict=True):
        table[ResultColumn(name, "float")] = each
    table[ResultColumn("status", "string")] = (
        np.stack([m.status() for m in figures.values()], axis=1).ravel().tolist()
    )
    return table


def row_order(
    columns: Sequence[ResultColumn], data: Sequence[ColumnData], sort: Sequence[str]
) -> NDArray[np.int64]:
    """The places of the rows sorted by the columns that `sort` names, a minus meaning from the largest down; what has no
    value is last, and what is alike stays in the order of the code lists."""
    places = {column.name: place for place, column in enumerate(columns)}
    order = np.arange(len(data[0]))
    for name in reversed(sort):
        column, falling = data[places[name.removeprefix("-")]], name.startswith("-")
        if isinstance(column, list):
            column = np.unique(np.array(column), return_inverse=True)[1].astype(np.float64)
        keys = column[order]
        order = order[np.argsort(-keys if falling else keys, kind="stable")]  # NaN is last either way
    return order


def select_rows(data: Sequence[ColumnData], rows: NDArray[np.int64]) -> tuple[ColumnData, ...]:
    """These rows of the data, in this order."""
    if len(rows) == len(data[0]) and (rows == np.arange(len(rows))).all():
        return tuple(data)
    places = rows.tolist()
    return tuple([each[place] for place in places] if isinstance(each, list) else each[rows] for each in data)


def _listed(data: ColumnData) -> list[Any]:
    if isinstance(data, list):
        return data
    found: list[Any] = data.tolist()
    if np.isnan(data).any():
        return [None if number != number else number for number in found]  # noqa: PLR0124  NaN alone is not itself
    return found
