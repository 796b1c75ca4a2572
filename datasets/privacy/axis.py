"""Axes: a dimension as the engine sees it, a tree of levels below one total.

Tables are arrays with one dimension per axis; an axis that is rolled up has length 1. The codes of a level are
in the order of their parents, so siblings are neighbours.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Dataset, Level
from datasets.period import Month

Floats = NDArray[np.float64]
Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True)
class Axis:
    """A tree of levels: node p of level k has `fans[k][p]` children at level k+1; level 0 is the total.

    >>> Axis("keyword", fans=((2,), (3, 2))).size(2)
    5
    """

    name: str
    fans: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        expected = 1
        for level, fan in enumerate(self.fans):
            if len(fan) != expected or min(fan) < 1 or max(fan) < 2:
                raise ValueError(
                    f"axis {self.name!r}: level {level} has {expected} node(s), each with at least one child and "
                    f"one with two, but the fan-outs given are {fan}"
                )
            expected = sum(fan)

    @property
    def depth(self) -> int:
        """The number of levels below the total."""
        return len(self.fans)

    def size(self, level: int) -> int:
        """The number of codes at a level; 1 at level 0."""
        return sum(self.fans[level - 1]) if level else 1

    @cached_property
    def _starts(self) -> tuple[NDArray[np.intp], ...]:
        return tuple(np.concatenate(([0], np.cumsum(fan)[:-1])).astype(np.intp) for fan in self.fans)

    @cached_property
    def _fans(self) -> tuple[NDArray[np.int64], ...]:
        return tuple(np.array(fan, dtype=np.int64) for fan in self.fans)

    def siblings(self, level: int) -> NDArray[np.int64]:
        """How many codes share the parent of each code at `level`, itself included; shape (size,)."""
        if level == 0:
            return np.ones(1, dtype=np.int64)
        fan = self._fans[level - 1]
        return np.repeat(fan, fan)

    def add_up(self, table: NDArray[Number], at: int, fine: int, coarse: int) -> NDArray[Number]:
        """A table summed along its dimension `at`, from level `fine` to level `coarse`."""
        for level in range(fine, coarse, -1):
            table = np.add.reduceat(table, self._starts[level - 1], axis=at, dtype=table.dtype)
        return table

    def spread(self, table: Floats, at: int, level: int) -> Floats:
        """Each value of `level` divided equally among its children at the next level."""
        fan = self._fans[level]
        return np.repeat(table / reshape_along(fan, table.ndim, at), fan, axis=at)

    def repeat(self, table: NDArray[Number], at: int, level: int) -> NDArray[Number]:
        """Each value of `level` repeated for each of its children at the next level."""
        return np.repeat(table, self._fans[level], axis=at)

    def ancestors(self, fine: int, coarse: int) -> NDArray[np.int64]:
        """The position at level `coarse` of the ancestor of each code of level `fine`; shape (size of fine,).

        >>> Axis("keyword", fans=((2,), (3, 2))).ancestors(2, 1)
        array([0, 0, 0, 1, 1])
        """
        positions = np.arange(self.size(coarse), dtype=np.int64)
        for level in range(coarse, fine):
            positions = self.repeat(positions, 0, level)
        return positions

    def centre(self, table: Floats, at: int, level: int) -> Floats:
        """A table at `level` minus the mean of each value's siblings; level 0 is unchanged."""
        if level == 0:
            return table
        sums = self.add_up(table, at, level, level - 1)
        return table - self.spread(sums, at, level - 1)


def reshape_along(vector: NDArray[Number], ndim: int, at: int) -> NDArray[Number]:
    """A vector reshaped so that it lies along dimension `at` of an array of `ndim` dimensions."""
    return vector.reshape([-1 if i == at else 1 for i in range(ndim)])


@cache
def axes_of(dataset: Dataset, month: Month) -> tuple[Axis, ...]:
    """The axes of a dataset in a month, one per dimension, in order."""
    return tuple(
        Axis(dimension.name, tuple(_level_fan(level, month) for level in dimension.levels))
        for dimension in dataset.dimensions
    )


def _level_fan(level: Level, month: Month) -> tuple[int, ...]:
    codes = level.codes.in_month(month)
    if codes.within is None:
        return (len(codes),)
    children = Counter(code.within for code in codes)
    return tuple(children[parent.code] for parent in codes.within)
