"""Dimensions: what events are counted by, at one level or at several nested ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from datasets.definition.codelist import CodeList, DaysOfMonth
from datasets.definition.rules import RESERVED, ensure, ensure_name


@dataclass(frozen=True, slots=True)
class Level:
    """One depth of a dimension: its name in questions, and its codes."""

    name: str
    codes: CodeList | DaysOfMonth


@dataclass(frozen=True)
class Dimension:
    """What events are counted by. `finer` adds nested levels below the first: keyword within category.

    Raw events carry the code of the finest level, in a column of that level's name.
    """

    name: str
    title: str
    codes: CodeList | DaysOfMonth
    law: str = ""
    finer: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        where = f"dimension {self.name!r}"
        for level in self.levels:
            ensure_name(level.name, where)
            ensure(level.name not in RESERVED, f"{where}: {level.name!r} is a word of the query grammar")
        for coarse, fine in zip(self.levels, self.finer, strict=False):
            ensure(
                fine.codes.within is coarse.codes,
                f"{where}: the list of {fine.name!r} is not within the list of {coarse.name!r}",
            )

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """From the coarsest to the finest; level 0, the total, is not among them."""
        return (Level(self.name, self.codes), *self.finer)

    @property
    def finest(self) -> Level:
        return self.levels[-1]

    @property
    def is_calendar(self) -> bool:
        return isinstance(self.codes, DaysOfMonth)
