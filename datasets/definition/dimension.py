"""Dimensions: what events are counted by, at one level or at several nested ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from datasets.definition.codelist import CodeList, DaysOfMonth, WeeksOfMonth
from datasets.definition.rules import RESERVED, ensure, ensure_name


@dataclass(frozen=True, slots=True)
class Level:
    """One depth of a dimension: its name in questions, and its codes."""

    name: str
    codes: CodeList | DaysOfMonth | WeeksOfMonth


@dataclass(frozen=True)
class Dimension:
    """What events are counted by. `finer` adds nested levels below the first: keyword within category.

    `coarser` adds levels above it, which are published wherever it is: week above day. Raw events carry the code of the
    finest level, in a column of that level's name.
    """

    name: str
    title: str
    codes: CodeList | DaysOfMonth
    law: str = ""
    finer: tuple[Level, ...] = ()
    coarser: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        where = f"dimension {self.name!r}"
        for level in self.levels:
            ensure_name(level.name, where)
            ensure(level.name not in RESERVED, f"{where}: {level.name!r} is a word of the query grammar")
        for coarse, fine in pairwise(self.levels):
            ensure(
                fine.codes.within is coarse.codes,
                f"{where}: the list of {fine.name!r} is not within the list of {coarse.name!r}",
            )

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """From the coarsest to the finest; level 0, the total, is not among them."""
        return (*self.coarser, Level(self.name, self.codes), *self.finer)

    @property
    def depth(self) -> int:
        """The depth of the level that the dimension is named after; 1 unless there are coarser ones."""
        return len(self.coarser) + 1

    @property
    def finest(self) -> Level:
        return self.levels[-1]

    @property
    def is_calendar(self) -> bool:
        return any(isinstance(level.codes, DaysOfMonth | WeeksOfMonth) for level in self.levels)
