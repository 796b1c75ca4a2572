"""The result of a question as a table: every cell of its grid, each with value, standard error, interval and status."""

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
        """Value, standard error and both ends of the interval.

        NaN for cells that were not collected: their noisy zero would be taken for a count.
        """
        estimate = self.estimate
        all_numbers = (estimate.value, estimate.error, estimate.low, estimate.high)
        if not self.not_collected.any():
            return all_numbers
        return tuple(np.where(self.not_collected, np.nan, numbers) for numbers in all_numbers)

    def status(self) -> NDArray[np.str_]:
        """For each cell its code in STATUS: A, U or L."""
        with np.errstate(invalid="ignore"):
            reliable = self.estimate.error <= UNRELIABLE * np.abs(self.estimate.value)
            reliable &= np.isfinite(self.estimate.low) & np.isfinite(self.estimate.high)
        return np.where(self.not_collected, "L", np.where(reliable, "A", "U"))


@dataclass(frozen=True)
class RowBlock:
    """The rows of some periods.

    `codes` holds for each grouped level what a row says for each of its codes: the code, its label, or both. The cells of
    `figures` are ordered by period first; the last group changes fastest.
    """

    periods: tuple[str, ...]
    codes: list[list[tuple[str, ...]]]
    figures: dict[str, FigureValues]


@dataclass(frozen=True)
class Result:
    """A dense table and its metadata. The data of a column is text or numbers; NaN stands for no number."""

    columns: tuple[ResultColumn, ...]
    data: tuple[ColumnData, ...]
    meta: dict[str, Any]

    def __len__(self) -> int:
        return len(self.data[0])

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The rows as tuples in the order of `columns`; None stands for no number."""
        return list(zip(*map(_as_list, self.data), strict=True))

    def chunks(self, size: int) -> Iterator[Result]:
        """The same result, `size` rows at a time."""
        for start in range(0, len(self), size):
            yield Result(self.columns, tuple(data[start : start + size] for data in self.data), self.meta)


def build_table(
    question: Question, blocks: Sequence[RowBlock]
) -> tuple[tuple[ResultColumn, ...], tuple[ColumnData, ...]]:
    """The columns of a result and their data; rows in the order of the periods and of the code lists."""
    keys = _key_columns(question, blocks)
    figures = {
        name: FigureValues(
            concatenate([block.figures[name].estimate for block in blocks]),
            np.concatenate([block.figures[name].not_collected for block in blocks]),
        )
        for name in blocks[0].figures
    }
    table = _long_columns(keys, figures) if question.shape == "long" else _wide_columns(keys, figures)
    return tuple(table), tuple(table.values())


def _key_columns(question: Question, blocks: Sequence[RowBlock]) -> dict[ResultColumn, ColumnData]:
    """`period` and the grouped levels; each level has a second column for its labels if both are asked for."""
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
    return {column: list(texts) for column, texts in zip(columns, zip(*cells, strict=True), strict=True)}


def _wide_columns(
    keys: dict[ResultColumn, ColumnData], figures: dict[str, FigureValues]
) -> dict[ResultColumn, ColumnData]:
    """One row for each cell, with five columns for each figure."""
    table = dict(keys)
    for name, values in figures.items():
        for suffix, numbers in zip(("", "_se", "_lo", "_hi"), values.numbers(), strict=True):
            table[ResultColumn(name + suffix, "float")] = numbers
        table[ResultColumn(f"{name}_status", "string")] = values.status().tolist()
    return table


def _long_columns(
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
    """The positions of the rows sorted by the columns that `sort` names; a minus means from the largest value down.

    Rows without a value come last. The sort is stable: equal rows stay in the order of the code lists.
    """
    positions = {column.name: position for position, column in enumerate(columns)}
    order = np.arange(len(data[0]))
    for name in reversed(sort):
        column, is_descending = data[positions[name.removeprefix("-")]], name.startswith("-")
        if isinstance(column, list):
            column = np.unique(np.array(column), return_inverse=True)[1].astype(np.float64)
        keys = column[order]
        order = order[np.argsort(-keys if is_descending else keys, kind="stable")]  # NaN is last either way
    return order


def select_rows(data: Sequence[ColumnData], rows: NDArray[np.int64]) -> tuple[ColumnData, ...]:
    """These rows of the data, in this order."""
    if len(rows) == len(data[0]) and (rows == np.arange(len(rows))).all():
        return tuple(data)
    positions = rows.tolist()
    return tuple(
        [column[at] for at in positions] if isinstance(column, list) else column[rows] for column in data
    )


def _as_list(data: ColumnData) -> list[Any]:
    if isinstance(data, list):
        return data
    numbers: list[Any] = data.tolist()
    if np.isnan(data).any():
        return [None if number != number else number for number in numbers]  # noqa: PLR0124  only NaN is not itself
    return numbers
