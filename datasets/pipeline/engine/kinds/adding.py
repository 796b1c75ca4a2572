"""Adding: what the rows of a block add to the tables of each kind of measure.

Sums are exact and the same in any order: they are integers, or doubles that stay below 2^53 within a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from datasets.definition import Cuboid
from datasets.pipeline.engine.bounding import GRAINS
from datasets.pipeline.engine.kinds.units import Integers, Positions, UnitBlock
from datasets.pipeline.engine.kinds.wanted import (
    ClampedValue,
    WantedActivity,
    WantedEvents,
    WantedMix,
    WantedReach,
)
from datasets.privacy.reach.family import GRAINS as REACH_GRAINS
from datasets.privacy.reach.family import weight

WEIGHTS, PERSONS, CODES, ROWS, ORGANISATIONS = "weights", "persons", "codes", "rows", "organisations"
"""The keys of tables that have no cuboid as key."""

_EXACT_IN_DOUBLES = 1 << 53

TableKey = Cuboid | str
TablesByKey = Mapping[TableKey, Integers]


@dataclass(frozen=True, slots=True)
class RowWeights:
    """The rows of a block that count, all if None, and the weight of each of them, 1 if None, from -`most` to `most`."""

    rows: Positions | None = None
    weights: Integers | None = None
    most: int = 1

    def add(self, table: Integers, cells: Positions) -> None:
        """Add to a table, shape (cells,); `cells` has the cell of each row of the block."""
        add_to_cells(table, cells if self.rows is None else cells[self.rows], self.weights, self.most)


def add_to_cells(table: Integers, cells: Positions, weights: Integers | None = None, most: int = 1) -> None:
    """Add to each of `cells` its weight, 1 if None, whose magnitude is at most `most`; exact."""
    few = 4 * len(cells) < len(table)
    if few or most * len(cells) >= _EXACT_IN_DOUBLES:
        np.add.at(table, cells, 1 if weights is None else weights)
    else:
        table += np.bincount(cells, weights, minlength=len(table)).astype(np.int64)


def weigh_events(kind: WantedEvents, block: UnitBlock) -> RowWeights:
    """The rows of a person that count, the first by lot up to the cap of its stratum; all of an organisation."""
    cap = kind.caps[block.activity] if block.is_person else None
    rows = _kept_rows(block, kind.where, cap)
    if kind.value is None:
        return RowWeights(rows)
    weights = _clamped(kind.value, block)
    return RowWeights(rows, weights if rows is None else weights[rows], kind.value.half_range)


def weigh_mix(kind: WantedMix, block: UnitBlock) -> RowWeights:
    """10,000 grains for each unit: equal whole parts for its rows, and the remainder for the first by lot."""
    parts, remainders = np.divmod(GRAINS, block.rows_of)
    weights = np.repeat(parts, block.rows_of)
    weights[block.ranks == 0] += remainders
    return RowWeights(None, weights, GRAINS)


def _kept_rows(block: UnitBlock, where: str | None, cap: int | None) -> Positions | None:
    if where is None:
        return None if cap is None or block.rows_of.max() <= cap else np.flatnonzero(block.ranks < cap)
    flagged = np.flatnonzero(block.values[where])
    if cap is None:
        return flagged
    unit = block.unit[flagged]
    ranks = np.arange(len(unit)) - np.searchsorted(unit, unit)
    return flagged[ranks < cap]


def _clamped(value: ClampedValue, block: UnitBlock) -> Integers:
    clamped = np.clip(block.values[value.name].astype(np.int64), value.lower, value.upper)
    return np.asarray(clamped - value.middle, dtype=np.int64)


@cache
def reach_weights(cells: int, cap: int) -> Integers:
    """The weight of a person in each of the k of `cells` cells in which it has rows, in grains, by k; shape (cells + 1,).

    See docs/privacy/reach.md#weights-and-centre.

    >>> reach_weights(31, 8)[[1, 8, 9, 16, 31]].tolist()
    [1000, 1000, 942, 707, 508]
    """
    return np.array([0, *(weight(k, cap) for k in range(1, cells + 1))], dtype=np.int64)


def distinct_cells(block: UnitBlock, cells: Positions, size: int) -> tuple[Positions, Positions]:
    """The units and the cells of all pairs that have a row, by unit; `cells` has the cell of each row, below `size`."""
    bits = size.bit_length()
    pairs = np.sort((block.unit << bits) | cells)
    pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
    return pairs >> bits, pairs & ((1 << bits) - 1)


def add_reach(
    tables: TablesByKey, kind: WantedReach, block: UnitBlock, cells: Positions, leaf: Positions
) -> None:
    """Add the persons of a block to `weights`, `persons` and `codes`; `cells` by row, `leaf` by person."""
    size, leaves = tables[WEIGHTS].shape
    unit, cell = distinct_cells(block, cells, size)
    number = np.bincount(unit)
    weights = reach_weights(size, kind.cap)[number]
    add_to_cells(tables[WEIGHTS].reshape(-1), cell * leaves + leaf[unit], weights[unit], REACH_GRAINS)
    add_to_cells(tables[PERSONS], leaf)
    add_to_cells(tables[CODES], number - 1)


def add_organisations(table: Integers, block: UnitBlock, cells: Positions) -> None:
    """Add 1 to each cell for each unit that has a row there; `cells` has the cell of each row."""
    add_to_cells(table, distinct_cells(block, cells, len(table))[1])


def add_activity(tables: TablesByKey, kind: WantedActivity, block: UnitBlock) -> None:
    """Add the persons of a block to `persons`, by band, and their rows, up to the most that is seen, to `rows`.

    A person without any row that the table counts is in no band.
    """
    found = block.rows_of if kind.where is None else _flagged_rows(block, kind.where)
    seen = np.minimum(found[found > 0], kind.most)
    band = np.searchsorted(kind.ends, seen)
    add_to_cells(tables[PERSONS], band)
    add_to_cells(tables[ROWS], band, seen, kind.most)


def _flagged_rows(block: UnitBlock, where: str) -> Integers:
    return np.bincount(block.unit[np.flatnonzero(block.values[where])], minlength=len(block.rows_of))
