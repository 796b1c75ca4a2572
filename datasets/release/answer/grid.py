"""What a question asks of one release: the cells of its grid, and the weights that each puts on published cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.privacy.variance import Factor
from datasets.refusal import Refusal
from datasets.release.format.codebook import Codebook
from datasets.release.format.measures import PublishedMeasure
from datasets.release.query.question import Codes, Question

Positions = NDArray[np.int64]


class NotPublished(Refusal):
    """A question deeper than any published cuboid; the message names the nearest that are."""


class EmptyQuestion(Refusal):
    """Filters on two levels of one dimension that exclude each other."""


@dataclass(frozen=True)
class DimensionSelection:
    """What one dimension is asked: the level it must be published at, which of its codes count, and how they group.

    `groups` holds, for each output cell along this dimension, the position of its code at the grouped level
    (None: not grouped). `mask` tells which codes of `level` count at all; a group may hold none that does.
    """

    level: int
    mask: NDArray[np.bool_]
    grouped_level: int | None
    groups: Positions | None
    group_of: Positions

    @property
    def weights(self) -> NDArray[np.float64]:
        """One row of weights over the codes of `level` for each output cell."""
        if self.groups is None:
            return self.mask[np.newaxis, :].astype(np.float64)
        in_group = self.group_of[np.newaxis, :] == self.groups[:, np.newaxis]
        return np.asarray(in_group & self.mask, dtype=np.float64)


@dataclass(frozen=True)
class Grid:
    """What a question asks of one release, dimension by dimension; None where a dimension is rolled up."""

    codebook: Codebook
    selections: tuple[DimensionSelection | None, ...]

    @cached_property
    def depth(self) -> Cuboid:
        return tuple(asked.level if asked else 0 for asked in self.selections)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many output cells there are along each grouped dimension."""
        return tuple(len(a.groups) for a in self.selections if a is not None and a.groups is not None)

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        return tuple((asked.level, asked.weights) if asked else None for asked in self.selections)

    def cuboid_for(self, measure: PublishedMeasure) -> str:
        """The published cuboid of fewest cells that covers the question. Raises NotPublished."""
        found = measure.smallest_cuboid(self.depth)
        if found is None:
            raise self._not_published(measure)
        return found

    def _not_published(self, measure: PublishedMeasure) -> NotPublished:
        def missing(cuboid: Cuboid) -> int:
            return sum(max(needs - has, 0) for has, needs in zip(cuboid, self.depth, strict=True))

        inside = {
            name: missing(cuboid)
            for name, cuboid in measure.cuboids.items()
            if all(has <= needs for has, needs in zip(cuboid, self.depth, strict=True))
        }
        near = sorted(inside, key=inside.__getitem__)[:3]
        asked = self.codebook.cuboid_name(self.depth)
        return NotPublished(
            f"{measure.name} is not published by {_spoken(asked)}; it is by "
            + ", and by ".join(map(_spoken, near)),
            parameter="group_by",
            value=asked,
            allowed=near,
            suggestions=near,
        )


def _spoken(cuboid: str) -> str:
    return cuboid.replace(",", " × ")


def build_grid(
    question: Question,
    codebook: Codebook,
    days: Iterable[date],
    *,
    by_day: bool,
    within: Sequence[tuple[str, Codes]] = (),
) -> Grid:
    """The grid of a question over the given days of one release; only what lies `within` some codes counts, but its cells are
    those of the question. Raises EmptyQuestion."""
    places, months = codebook.places, codebook.calendar
    own: dict[int, list[tuple[str, Codes]]] = {}
    for name, codes in question.filters:
        own.setdefault(places[name][0], []).append((name, codes))
    part: dict[int, list[tuple[str, Codes]]] = {}
    for name, codes in within:
        part.setdefault(places[name][0], []).append((name, codes))
    grouped = dict(map(places.__getitem__, question.group_by))
    asked_days = tuple(day.isoformat() for day in days)
    if by_day or len(asked_days) < len(months.codes):
        own[places[months.name][0]] = [(months.name, asked_days)]
    if by_day:
        grouped[places[months.name][0]] = 1
    asked: list[DimensionSelection | None] = [None] * len(codebook.dimensions)
    for at in sorted({*own, *part, *grouped}):
        asked[at] = _asked(codebook, at, own.get(at, []), part.get(at, []), grouped.get(at))
    return Grid(codebook, tuple(asked))


def _asked(
    codebook: Codebook,
    at: int,
    own: Sequence[tuple[str, Codes]],
    within: Sequence[tuple[str, Codes]],
    grouped: int | None,
) -> DimensionSelection:
    every = [*own, *within]
    axis = codebook.axes[at]
    level = max([grouped or 1, *(codebook.places[name][1] for name, _ in every)])
    mask = _mask(codebook, at, level, own)
    counted = mask & _mask(codebook, at, level, within)
    if not counted.any():
        name, codes = every[-1]
        names = list(dict.fromkeys(name for name, _ in every))
        what = (
            "filters " + " and ".join(names) + " exclude each other"
            if len(names) > 1
            else f"filter {name} leaves nothing"
        )
        raise EmptyQuestion(
            f"the {what}: no code is within all that is asked", parameter=name, value=",".join(codes)
        )
    group_of = axis.ancestors(level, grouped or 0)
    groups = None if grouped is None else np.unique(group_of[mask])
    return DimensionSelection(level, counted, grouped, groups, group_of)


def _mask(codebook: Codebook, at: int, level: int, parts: Sequence[tuple[str, Codes]]) -> NDArray[np.bool_]:
    """Which codes of a level lie within all of the parts."""
    axis = codebook.axes[at]
    mask = np.ones(axis.size(level), dtype=np.bool_)
    for name, codes in parts:
        index, depth = codebook.levels[name].index, codebook.places[name][1]
        mask &= np.isin(axis.ancestors(level, depth), [index[code] for code in codes])
    return mask
