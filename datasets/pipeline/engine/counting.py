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
from datasets.pipeline.engine.job import Counts
from datasets.privacy.axis import Axis
from datasets.privacy.plan import cell_count
from datasets.privacy.residuals import ExactTable

Codes = NDArray[np.intp]
Weights = NDArray[np.float64]


def covering_tables(
    axes: Sequence[Axis], wanted: Mapping[str, Iterable[Cuboid]]
) -> dict[str, tuple[Cuboid, ...]]:
    """The tables to count for each measure, so that every wanted cuboid is a sum of one of them.

    `wanted` maps each measure to all cuboids whose tables will be requested; it must be closed under roll-up.
    """
    deepest = {measure: _deepest(axes, frozenset(cuboids)) for measure, cuboids in wanted.items()}
    tables = cover_cuboids(axes, {cuboid for cuboids in deepest.values() for cuboid in cuboids})
    return {measure: select_tables(tables, cuboids) for measure, cuboids in deepest.items()}


class Counter:
    """Exact tables of several measures; rows are added batch by batch. `tables` are those of `covering_tables`."""

    def __init__(self, axes: Sequence[Axis], tables: Mapping[str, Iterable[Cuboid]]) -> None:
        self._axes = tuple(axes)
        self._sums = {
            measure: {table: np.zeros(cell_count(axes, table)) for table in wanted}
            for measure, wanted in tables.items()
        }
        self._measures: dict[Cuboid, list[str]] = {}
        for measure, counts in self._sums.items():
            for table in counts:
                self._measures.setdefault(table, []).append(measure)

    def add_batch(self, codes: Sequence[Codes], weights: Mapping[str, Weights]) -> None:
        """Count a batch: one array of finest codes per axis, one array of integral weights per measure."""
        for table, key in cell_numbers(self._axes, self._measures, codes):
            size = cell_count(self._axes, table)
            for measure in self._measures[table]:
                self._sums[measure][table] += np.bincount(key, weights[measure], minlength=size)

    def exact(self) -> Counts:
        """The counts so far, flat: exact and private."""
        return {
            measure: {table: np.rint(sums).astype(np.int64) for table, sums in tables.items()}
            for measure, tables in self._sums.items()
        }


def cell_numbers(
    axes: Sequence[Axis], tables: Iterable[Cuboid], codes: Sequence[Codes]
) -> Iterator[tuple[Cuboid, Codes]]:
    """The cell number of every row, for each table; common prefixes of levels are packed once.

    `codes` has one array per axis with the positions of the finest codes.
    """
    coarse: dict[tuple[int, int], Codes] = {}
    packed: list[tuple[tuple[int, int], Codes]] = []
    for table in sorted(tables, key=_grouped_levels):
        path = _grouped_levels(table)
        common = 0
        while common < min(len(path), len(packed)) and packed[common][0] == path[common]:
            common += 1
        del packed[common:]
        for at, level in path[common:]:
            if (at, level) not in coarse:
                coarse[at, level] = _codes_at_level(axes[at], codes[at], level)
            code = coarse[at, level]
            key = packed[-1][1] * axes[at].size(level) + code if packed else code
            packed.append(((at, level), key))
        yield table, packed[-1][1] if packed else np.zeros(len(codes[0]), dtype=np.intp)


def _codes_at_level(axis: Axis, finest: Codes, level: int) -> Codes:
    return finest if level == axis.depth else axis.ancestors(axis.depth, level).astype(np.intp)[finest]


def roll_up(
    axes: Sequence[Axis], counts: Mapping[Cuboid, NDArray[np.int64]], wanted: Iterable[Cuboid]
) -> dict[Cuboid, ExactTable]:
    """The exact table of every wanted cuboid of a measure; one array dimension per axis, 1 where rolled up."""
    counted = {table: values.reshape(_shape(axes, table)) for table, values in counts.items()}
    tables: dict[Cuboid, NDArray[np.int64]] = {}
    for cuboid in sorted(wanted, key=sum, reverse=True):
        finer = [f for f in _one_finer(axes, cuboid) if f in tables]
        finer += [f for f in counted if all(a <= b for a, b in zip(cuboid, f, strict=True))]
        source = min(finer, key=lambda f: cell_count(axes, f))
        tables[cuboid] = reduce(
            lambda table, at: axes[at].add_up(table, at, source[at], cuboid[at]),
            [at for at in range(len(cuboid)) if source[at] != cuboid[at]],
            tables[source] if source in tables else counted[source],
        )
    return {cuboid: ExactTable(table) for cuboid, table in tables.items()}


def _shape(axes: Sequence[Axis], cuboid: Cuboid) -> tuple[int, ...]:
    return tuple(axis.size(level) for axis, level in zip(axes, cuboid, strict=True))


def _grouped_levels(cuboid: Cuboid) -> tuple[tuple[int, int], ...]:
    return tuple((at, level) for at, level in enumerate(cuboid) if level)


def _one_finer(axes: Sequence[Axis], cuboid: Cuboid) -> Iterator[Cuboid]:
    for at, axis in enumerate(axes):
        if cuboid[at] < axis.depth:
            yield (*cuboid[:at], cuboid[at] + 1, *cuboid[at + 1 :])


def _deepest(axes: Sequence[Axis], cuboids: frozenset[Cuboid]) -> list[Cuboid]:
    return [c for c in cuboids if not any(finer in cuboids for finer in _one_finer(axes, c))]
