"""Attributes of a person: the code that most of its rows carry, and the leaf to which its codes belong.

Of codes that equally many rows carry, the one whose first row by lot comes first. A person's code depends on that person's
rows alone, and not on the order in which they are read (docs/privacy/counting.md#attributes-of-a-person).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from datasets.pipeline.engine.kinds.units import Positions, UnitBlock
from datasets.pipeline.engine.kinds.wanted import PersonAttributes
from datasets.privacy.axis import Axis


def person_leaves(
    axes: Sequence[Axis], block: UnitBlock, wanted: Iterable[PersonAttributes]
) -> dict[PersonAttributes, Positions]:
    """The leaf of each person of a block, for each of the wanted attributes; shape (persons,)."""
    wanted = set(wanted)
    needed = {at for by in wanted for at, level in enumerate(by.levels) if level}
    codes = {at: majority_codes(block, at, axes[at].size(axes[at].depth)) for at in sorted(needed)}
    return {by: _leaf_numbers(axes, block, by, codes) for by in wanted}


def majority_codes(block: UnitBlock, at: int, size: int) -> Positions:
    """The finest code, of `size`, of dimension `at` that most rows of each unit carry; shape (units,).

    Each row becomes one number: unit, code, rank. Sorted, the rows of a unit with one code are a run, which begins with the
    first of them by lot. No number exceeds rows² times the codes, which is far below 2^63.
    """
    rank_bits, code_bits = int(block.rows_of.max()).bit_length(), size.bit_length()
    runs = np.sort(
        (((block.unit << code_bits) | block.codes[at]) << rank_bits) | block.ranks,
    )
    starts = np.flatnonzero(np.diff(runs >> rank_bits, prepend=-1))
    lengths = np.diff(starts, append=len(runs))
    first, last_rank = runs[starts], (1 << rank_bits) - 1
    unit, code = first >> (code_bits + rank_bits), (first >> rank_bits) & ((1 << code_bits) - 1)
    scores = (lengths << rank_bits) | (last_rank - (first & last_rank))
    best = np.maximum.reduceat(scores, np.flatnonzero(np.diff(unit, prepend=-1)))
    return np.asarray(code[scores == best[unit]], dtype=np.intp)


def _leaf_numbers(
    axes: Sequence[Axis], block: UnitBlock, by: PersonAttributes, codes: dict[int, Positions]
) -> Positions:
    leaf = np.full(len(block.rows_of), block.activity if by.by_activity else 0, dtype=np.intp)
    for at, level in enumerate(by.levels):
        if level:
            leaf = leaf * axes[at].size(level) + axes[at].ancestors(axes[at].depth, level)[codes[at]]
    return leaf
