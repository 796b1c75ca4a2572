"""Coverings: a few wide tables to count instead of many narrow ones; every wanted cuboid is a sum of one of them.

Counting needs one pass over the rows for each table, whatever its width, if the table fits into the processor's cache.
Therefore narrow cuboids are counted together: 560 three-way cuboids of 16 dimensions are sums of about 90 tables of about
five dimensions. The choice depends only on public sizes, and the results are the same, because they are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.privacy.axis import Axis
from datasets.privacy.plan import cell_count

MAX_CELLS = 1 << 16
"""Cells of the widest table: 512 KiB of doubles, which fit into a core's own cache. A wider cuboid gets its own table."""


def cover_cuboids(
    axes: Sequence[Axis], wanted: Iterable[Cuboid], most: int = MAX_CELLS
) -> tuple[Cuboid, ...]:
    """Tables, as cuboids, such that each wanted cuboid is no finer than one of them.

    Greedy: the widest remaining cuboid starts a table. The table is refined by the level that covers most of the
    remaining cuboids relative to the growth of the table, up to `most` cells.

    >>> axes = [Axis(name, ((2,),)) for name in "abc"]
    >>> cover_cuboids(axes, [(1, 1, 0), (1, 0, 1), (0, 1, 1)])
    ((1, 1, 1),)
    """
    left = np.array(sorted(wanted, key=lambda c: (-cell_count(axes, c), c)), dtype=np.int64).reshape(
        -1, len(axes)
    )
    tables = []
    while len(left):
        table = tuple(int(level) for level in left[0])
        while grown := max(_finer_tables(axes, table, left, most), default=None):
            table = grown[1]
        tables.append(table)
        left = left[~_is_covered(left, table)]
    return tuple(tables)


def select_tables(tables: Iterable[Cuboid], wanted: Iterable[Cuboid]) -> tuple[Cuboid, ...]:
    """A few of the given tables that cover the wanted cuboids; greedily the one that covers most of the remaining."""
    tables = tuple(tables)
    left = np.array(sorted(wanted), dtype=np.int64).reshape(-1, len(tables[0]) if tables else 0)
    found = []
    while len(left):
        best = max(tables, key=lambda table: int(_is_covered(left, table).sum()))
        found.append(best)
        left = left[~_is_covered(left, best)]
    return tuple(found)


def _finer_tables(
    axes: Sequence[Axis], table: Cuboid, left: NDArray[np.int64], most: int
) -> Iterator[tuple[float, Cuboid]]:
    """Every table that is finer in one axis, with the number of cuboids gained per factor e of cells."""
    size, covered = cell_count(axes, table), int(_is_covered(left, table).sum())
    for at, axis in enumerate(axes):
        for level in range(table[at] + 1, axis.depth + 1):
            finer = (*table[:at], level, *table[at + 1 :])
            if cell_count(axes, finer) <= most:
                gain = int(_is_covered(left, finer).sum()) - covered
                yield gain / log(cell_count(axes, finer) / size), finer


def _is_covered(cuboids: NDArray[np.int64], table: Cuboid) -> NDArray[np.bool_]:
    return np.asarray((cuboids <= np.array(table)).all(axis=1))
