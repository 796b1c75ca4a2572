"""Counting: exact tables of every residual's cuboid, from bounded rows.

A few wide tables are counted from rows, by `numpy.bincount` of packed codes (`datasets.pipeline.engine.covering`); every
cuboid is a sum of the smallest that contains it. Sums stay below 2^53, so doubles hold them exactly, and in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.pipeline.engine.covering import cover_cuboids, select_tables
from datasets.privacy.axis import Axis
from datasets.privacy.plan import cell_count
from datasets.privacy.residuals import ExactTable

Codes = NDArray[np.intp]
Weights = NDArray[np.float64]
Counts = dict[str, dict[Cuboid, Weights]]


class Counter:
    """Exact tables that cover the cuboids of several measures; rows are added batch by batch.

    `wanted` maps each measure to all cuboids whose tables will be requested; it must be closed under roll-up.
    """

    def __init__(self, axes: Sequence[Axis], wanted: Mapping[str, Iterable[Cuboid]]) -> None:
        self._axes = tuple(axes)
        self._wanted = {measure: frozenset(cuboids) for measure, cuboids in wanted.items()}
        deepest = {measure: _deepest(axes, cuboids) for measure, cuboids in self._wanted.items()}
        tables = cover_cuboids(axes, {cuboid for cuboids in deepest.values() for cuboid in cuboids})
        self.counts: Counts = {
            measure: {table: np.zeros(cell_count(axes, table)) for table in select_tables(tables, cuboids)}
            for measure, cuboids in deepest.items()
        }
        """The counts so far: exact and private. Counts of other rows may be added cell by cell."""
        self._measures: dict[Cuboid, list[str]] = {}
        for measure, counts in self.counts.items():
            for table in counts:
                self._measures.setdefault(table, []).append(measure)

    def add_batch(self, codes: Sequence[Codes], weights: Mapping[str, Weights]) -> None:
        """Count a batch: one array of finest codes per axis, one array of integral weights per measure."""
        for table, key in self._cell_numbers_by_table(codes):
            size = cell_count(self._axes, table)
            for measure in self._measures[table]:
                self.counts[measure][table] += np.bincount(key, weights[measure], minlength=size)

    def _cell_numbers_by_table(self, codes: Sequence[Codes]) -> Iterator[tuple[Cuboid, Codes]]:
        """The cell number of every row, for each table; common prefixes of levels are packed once."""
        coarse: dict[tuple[int, int], Codes] = {}
        packed: list[tuple[tuple[int, int], Codes]] = []
        for table in sorted(self._measures, key=_grouped_levels):
            path = _grouped_levels(table)
            common = 0
            while common < min(len(path), len(packed)) and packed[common][0] == path[common]:
                common += 1
            del packed[common:]
            for at, level in path[common:]:
                if (at, level) not in coarse:
                    coarse[at, level] = self._codes_at_level(codes[at], at, level)
                code = coarse[at, level]
                key = packed[-1][1] * self._axes[at].size(level) + code if packed else code
                packed.append(((at, level), key))
            yield table, packed[-1][1] if packed else np.zeros(len(codes[0]), dtype=np.intp)

    def _codes_at_level(self, finest: Codes, at: int, level: int) -> Codes:
        axis = self._axes[at]
        return finest if level == axis.depth else axis.ancestors(axis.depth, level).astype(np.intp)[finest]

    def tables(self, measure: str) -> dict[Cuboid, ExactTable]:
        """The exact table of every wanted cuboid of a measure; one array dimension per axis, 1 where rolled up."""
        counted = {
            table: np.rint(counts).astype(np.int64).reshape(self._shape(table))
            for table, counts in self.counts[measure].items()
        }
        tables: dict[Cuboid, NDArray[np.int64]] = {}
        for cuboid in sorted(self._wanted[measure], key=sum, reverse=True):
            finer = [f for f in _one_finer(self._axes, cuboid) if f in tables]
            finer += [f for f in counted if all(a <= b for a, b in zip(cuboid, f, strict=True))]
            source = min(finer, key=lambda f: cell_count(self._axes, f))
            tables[cuboid] = reduce(
                lambda table, at: self._axes[at].add_up(table, at, source[at], cuboid[at]),
                [at for at in range(len(cuboid)) if source[at] != cuboid[at]],
                tables[source] if source in tables else counted[source],
            )
        return {cuboid: ExactTable(table) for cuboid, table in tables.items()}

    def _shape(self, cuboid: Cuboid) -> tuple[int, ...]:
        return tuple(axis.size(level) for axis, level in zip(self._axes, cuboid, strict=True))


def _grouped_levels(cuboid: Cuboid) -> tuple[tuple[int, int], ...]:
    return tuple((at, level) for at, level in enumerate(cuboid) if level)


def _one_finer(axes: Sequence[Axis], cuboid: Cuboid) -> Iterator[Cuboid]:
    for at, axis in enumerate(axes):
        if cuboid[at] < axis.depth:
            yield (*cuboid[:at], cuboid[at] + 1, *cuboid[at + 1 :])


def _deepest(axes: Sequence[Axis], cuboids: frozenset[Cuboid]) -> list[Cuboid]:
    return [c for c in cuboids if not any(finer in cuboids for finer in _one_finer(axes, c))]
