"""Counting: exact tables of every residual's cuboid, from bounded rows.

Only the deepest cuboids are counted from rows, by `numpy.bincount` of packed codes; every other one is a sum of
the smallest that contains it. Sums stay below 2^53, so doubles hold them exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.privacy.axis import Axis
from datasets.privacy.plan import cells
from datasets.privacy.residuals import ExactTable

Codes = NDArray[np.intp]
Weights = NDArray[np.float64]


class Counter:
    """Exact tables of the deepest cuboids of several measures, filled row by row.

    `wanted` gives for each measure all cuboids whose tables will be asked for, closed under roll-up.
    """

    def __init__(self, axes: Sequence[Axis], wanted: Mapping[str, Iterable[Cuboid]]) -> None:
        self._axes = tuple(axes)
        self._wanted = {measure: frozenset(cuboids) for measure, cuboids in wanted.items()}
        self._tables = {
            measure: {c: np.zeros(cells(axes, c)) for c in _deepest(axes, cuboids)}
            for measure, cuboids in self._wanted.items()
        }
        self._measures: dict[Cuboid, list[str]] = {}
        for measure, tables in self._tables.items():
            for cuboid in tables:
                self._measures.setdefault(cuboid, []).append(measure)
        self._ancestors = [
            [axis.ancestors(axis.depth, level).astype(np.intp) for level in range(1, axis.depth + 1)]
            for axis in self._axes
        ]

    def add(self, codes: Sequence[Codes], weights: Mapping[str, Weights]) -> None:
        """Count a batch: one array of finest codes per axis, one array of integral weights per measure."""
        for cuboid, key in self._keys(codes):
            size = cells(self._axes, cuboid)
            for measure in self._measures[cuboid]:
                self._tables[measure][cuboid] += np.bincount(key, weights[measure], minlength=size)

    def _keys(self, codes: Sequence[Codes]) -> Iterator[tuple[Cuboid, Codes]]:
        """The packed cell number of every row, for each deepest cuboid; common beginnings are packed once."""
        levels = [
            [ancestors[finest] for ancestors in by_level]
            for by_level, finest in zip(self._ancestors, codes, strict=True)
        ]
        packed: list[tuple[tuple[int, int], Codes]] = []
        for cuboid in sorted(self._measures, key=_path):
            path = _path(cuboid)
            common = 0
            while common < min(len(path), len(packed)) and packed[common][0] == path[common]:
                common += 1
            del packed[common:]
            for at, level in path[common:]:
                code = levels[at][level - 1]
                key = packed[-1][1] * self._axes[at].size(level) + code if packed else code
                packed.append(((at, level), key))
            yield cuboid, packed[-1][1] if packed else np.zeros(len(codes[0]), dtype=np.intp)

    def tables(self, measure: str) -> dict[Cuboid, ExactTable]:
        """The exact table of every wanted cuboid of a measure; one array dimension per axis, 1 where rolled up."""
        tables = {
            cuboid: np.rint(table).astype(np.int64).reshape(self._shape(cuboid))
            for cuboid, table in self._tables[measure].items()
        }
        for cuboid in sorted(self._wanted[measure], key=sum, reverse=True):
            if cuboid not in tables:
                finer = [f for f in _one_finer(self._axes, cuboid) if f in tables]
                source = min(finer, key=lambda f: cells(self._axes, f))
                tables[cuboid] = reduce(
                    lambda table, at: self._axes[at].add_up(table, at, source[at], cuboid[at]),
                    [at for at in range(len(cuboid)) if source[at] != cuboid[at]],
                    tables[source],
                )
        return {cuboid: ExactTable(table) for cuboid, table in tables.items()}

    def _shape(self, cuboid: Cuboid) -> tuple[int, ...]:
        return tuple(axis.size(level) for axis, level in zip(self._axes, cuboid, strict=True))


def _path(cuboid: Cuboid) -> tuple[tuple[int, int], ...]:
    return tuple((at, level) for at, level in enumerate(cuboid) if level)


def _one_finer(axes: Sequence[Axis], cuboid: Cuboid) -> Iterator[Cuboid]:
    for at, axis in enumerate(axes):
        if cuboid[at] < axis.depth:
            yield (*cuboid[:at], cuboid[at] + 1, *cuboid[at + 1 :])


def _deepest(axes: Sequence[Axis], cuboids: frozenset[Cuboid]) -> list[Cuboid]:
    return [c for c in cuboids if not any(finer in cuboids for finer in _one_finer(axes, c))]
