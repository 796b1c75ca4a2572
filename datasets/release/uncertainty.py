"""The exact variance of every cell of an answer, from the numbers s_B in the manifest (PRIVACY.md, section 6)."""

from __future__ import annotations

from typing import Literal

from datasets.privacy.axis import Floats
from datasets.privacy.variance import variance
from datasets.release.codebook import Codebook
from datasets.release.grid import Grid
from datasets.release.manifest import Manifest

Status = Literal["A", "U", "L"]
STATUS = {
    "A": "value with noise as stated",
    "U": "the same, of low reliability: its standard error is over 30 % of it",
    "L": "not collected: the source does not know this level, so the cell holds noise only",
}
UNRELIABLE = 0.3


def variances(manifest: Manifest, grid: Grid, measure: str) -> Floats:
    """The variance of each cell of a grid; shape: its output cells along each asked dimension, in their order.

    A sum is its centred sum plus middle times the count, measured independently, so their variances add.
    """
    entry, book = manifest.by_measure[measure], grid.codebook
    total = _of(manifest, book, grid, measure)
    if entry.counted_by is not None and entry.middle is not None:
        total = total + entry.middle**2 * _of(manifest, book, grid, entry.counted_by)
    return total


def _of(manifest: Manifest, book: Codebook, grid: Grid, measure: str) -> Floats:
    return variance(book.axes, manifest.by_measure[measure].variances(book), grid.factors)


def is_unreliable(value: float, error: float) -> bool:
    """Whether a standard error is over 30 % of its value.

    >>> is_unreliable(100.0, 31.0), is_unreliable(-100.0, 30.0)
    (True, False)
    """
    return error > UNRELIABLE * abs(value)
