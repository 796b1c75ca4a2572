"""The notes of a result: its warnings, and which of its cells were not collected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from datasets.release.answer.grid import Grid
from datasets.release.answer.release import Release
from datasets.release.format.manifest import Manifest
from datasets.release.query.figures import Figure


def warnings(figures: Iterable[Figure], releases: Sequence[Release]) -> list[str]:
    """The notes of the sources, and one for each figure whose measures have different contribution bounds."""
    notes = [note for release in releases for note in release.manifest.source.notes]
    bounds = releases[-1].manifest.by_measure
    for figure in figures:
        caps = {term.measure: bounds[term.measure].rows_per_unit for term in figure.terms}
        if len(set(caps.values())) > 1:
            parts = ", ".join(f"{name} at {cap or 'no'} rows a person" for name, cap in caps.items())
            notes.append(f"{figure.name} is made of measures that are bounded differently: {parts}.")
    return list(dict.fromkeys(notes))


def not_collected(grid: Grid, manifest: Manifest, measure: str) -> NDArray[np.bool_]:
    """Which output cells need a level or a value that the source does not have. Its code for the unknown is collected.

    Shape: the grid's grouped dimensions, or one that broadcasts to it.
    """
    entry = grid.codebook.measure(measure)
    missing = set(manifest.source.not_collected_values)
    marked = np.zeros((), dtype=np.bool_) | (entry.where in missing) | (entry.value in missing)
    for dimension, selection in zip(grid.codebook.dimensions, grid.selections, strict=True):
        if selection is None:
            continue
        level = dimension.levels[selection.level - 1]
        if level.name in manifest.source.not_collected and level.unknown is not None:
            cells = selection.weights[:, level.index[level.unknown]] == 0
        else:
            cells = np.zeros(len(selection.weights), dtype=np.bool_)
        marked = np.logical_or.outer(marked, cells) if selection.groups is not None else marked | cells[0]
    return np.asarray(marked)
