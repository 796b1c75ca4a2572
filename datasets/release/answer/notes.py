"""What is said beside the numbers of an answer: what bounding kept, what was not collected, what to beware of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from datasets.release.answer.grid import Grid
from datasets.release.answer.release import Release
from datasets.release.format.manifest import Manifest
from datasets.release.query.expressions import Figure


def warnings(figures: Iterable[Figure], releases: Sequence[Release]) -> list[str]:
    """The notes of the sources, and of figures whose parts are bounded differently."""
    notes = [note for release in releases for note in release.manifest.source.notes]
    bounds = releases[-1].manifest.by_measure
    for figure in figures:
        caps = {term.measure: bounds[term.measure].rows_per_unit for term in figure.terms}
        if len(set(caps.values())) > 1:
            parts = ", ".join(f"{name} at {cap or 'no'} rows a person" for name, cap in caps.items())
            notes.append(f"{figure.name} is made of measures that are bounded differently: {parts}.")
    return list(dict.fromkeys(notes))


def not_collected(grid: Grid, manifest: Manifest, measure: str) -> NDArray[np.bool_]:
    """Which output cells ask a level that the source does not know, other than by its code for the unknown."""
    entry = grid.codebook.measure(measure)
    missing = set(manifest.source.not_collected_values)
    marked = np.zeros((), dtype=np.bool_) | (entry.where in missing) | (entry.value in missing)
    for dimension, asked in zip(grid.codebook.dimensions, grid.selections, strict=True):
        if asked is None:
            continue
        level = dimension.levels[asked.level - 1]
        if level.name in manifest.source.not_collected and level.unknown is not None:
            cells = asked.weights[:, level.index[level.unknown]] == 0
        else:
            cells = np.zeros(len(asked.weights), dtype=np.bool_)
        marked = np.logical_or.outer(marked, cells) if asked.groups is not None else marked | cells[0]
    return np.asarray(marked)
