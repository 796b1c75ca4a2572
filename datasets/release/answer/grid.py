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

CodePositions = NDArray[np.int64]
LevelCodes = Sequence[tuple[str, Codes]]
"""Levels, each with the codes of it that count."""


class NotPublished(Refusal):
    """A question deeper than any published cuboid; the message names the nearest that are."""


class EmptyQuestion(Refusal):
    """Filters on two levels of one dimension that exclude each other."""


@dataclass(frozen=True)
class DimensionSelection:
    """What is asked of one dimension: the level it must be published at, which of its codes count, and how they group.

    `groups` holds, for each output cell along this dimension, the position of its code at the grouped level
    (None: not grouped). `mask` tells which codes of `level` count at all; a group may hold none that does.
    `group_of` holds the position at the grouped level of each code of `level`.
    """

    level: int
    mask: NDArray[np.bool_]
    grouped_level: int | None
    groups: CodePositions | None
    group_of: CodePositions

    @property
    def weights(self) -> NDArray[np.float64]:
        """One row of weights over the codes of `level` for each output cell."""
        if self.groups is None:
            return self.mask[np.newaxis, :].astype(np.float64)
        in_group = self.group_of[np.newaxis, :] == self.groups[:, np.newaxis]
        return np.asarray(in_group & self.mask, dtype=np.float64)


@dataclass(frozen=True)
class Grid:
    """What a question asks of one release, dimension by dimension; None for a dimension that is rolled up."""

    codebook: Codebook
    selections: tuple[DimensionSelection | None, ...]

    @cached_property
    def depth(self) -> Cuboid:
        """The level that each dimension must be published at."""
        return tuple(selection.level if selection else 0 for selection in self.selections)

    @cached_property
    def groups(self) -> tuple[CodePositions, ...]:
        """The positions of the output cells along each grouped dimension."""
        return tuple(s.groups for s in self.selections if s is not None and s.groups is not None)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many output cells there are along each grouped dimension."""
        return tuple(map(len, self.groups))

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """The question as the privacy engine takes it: weights along each axis."""
        return tuple((s.level, s.weights) if s else None for s in self.selections)

    def cuboid_for(self, measure: PublishedMeasure) -> str:
        """The published cuboid with the fewest cells that covers the question. Raises NotPublished."""
        cuboid = measure.smallest_cuboid(self.depth)
        if cuboid is None:
            raise self._not_published(measure)
        return cuboid

    def _not_published(self, measure: PublishedMeasure) -> NotPublished:
        def missing_levels(cuboid: Cuboid) -> int:
            return sum(max(needs - has, 0) for has, needs in zip(cuboid, self.depth, strict=True))

        coarser = {
            name: missing_levels(cuboid)
            for name, cuboid in measure.cuboids.items()
            if all(has <= needs for has, needs in zip(cuboid, self.depth, strict=True))
        }
        nearest = sorted(coarser, key=coarser.__getitem__)[:3]
        asked = self.codebook.cuboid_name(self.depth)
        return NotPublished(
            f"{measure.name} is not published by {_cuboid_text(asked)}; it is by "
            + ", and by ".join(map(_cuboid_text, nearest)),
            parameter="group_by",
            value=asked,
            allowed=nearest,
            suggestions=nearest,
        )


def _cuboid_text(cuboid: str) -> str:
    return cuboid.replace(",", " × ")


def build_grid(
    question: Question,
    codebook: Codebook,
    days: Iterable[date],
    *,
    by_day: bool,
    within: LevelCodes = (),
) -> Grid:
    """The grid of a question over the given days of one release.

    Its cells are those of the question, but only the codes in `within` count in them. Raises EmptyQuestion.
    """
    places, calendar = codebook.places, codebook.calendar
    filters = _by_dimension(question.filters, codebook)
    restrictions = _by_dimension(within, codebook)
    grouped = dict(map(places.__getitem__, question.group_by))
    iso_days = tuple(day.isoformat() for day in days)
    at_calendar, depth = places[calendar.name]
    if by_day:
        filters[at_calendar] = [(calendar.name, iso_days)]
        grouped[at_calendar] = depth
    elif len(iso_days) < len(calendar.codes):
        filters[at_calendar] = [_calendar_codes(codebook, iso_days)]
    selections: list[DimensionSelection | None] = [None] * len(codebook.dimensions)
    for at in sorted({*filters, *restrictions, *grouped}):
        selections[at] = _dimension_selection(
            codebook, at, filters.get(at, []), restrictions.get(at, []), grouped.get(at)
        )
    return Grid(codebook, tuple(selections))


def _calendar_codes(codebook: Codebook, iso_days: Codes) -> tuple[str, Codes]:
    """Days as codes of the coarsest level of the calendar that has them: whole parts of weeks, or days."""
    calendar, weeks = codebook.calendar, codebook.weeks
    if weeks is not None:
        asked = {*iso_days}
        touched = {entry.within for entry in calendar.codes if entry.code in asked}
        if sum(entry.within in touched for entry in calendar.codes) == len(asked):
            return weeks.name, tuple(entry.code for entry in weeks.codes if entry.code in touched)
    return calendar.name, iso_days


def _by_dimension(levels: LevelCodes, codebook: Codebook) -> dict[int, LevelCodes]:
    """Levels and their codes by the position of their dimension."""
    by_dimension: dict[int, list[tuple[str, Codes]]] = {}
    for name, codes in levels:
        by_dimension.setdefault(codebook.places[name][0], []).append((name, codes))
    return {**by_dimension}


def _dimension_selection(
    codebook: Codebook, at: int, filters: LevelCodes, within: LevelCodes, grouped: int | None
) -> DimensionSelection:
    """What is asked of the dimension at a position; `grouped` is the level it is grouped by. Raises EmptyQuestion."""
    axis = codebook.axes[at]
    level = max([grouped or 1, *(codebook.places[name][1] for name, _ in (*filters, *within))])
    filtered = _code_mask(codebook, at, level, filters)
    counted = filtered & _code_mask(codebook, at, level, within)
    if not counted.any():
        raise _empty_question([*filters, *within])
    group_of = axis.ancestors(level, grouped or 0)
    groups = None if grouped is None else np.unique(group_of[filtered])
    return DimensionSelection(level, counted, grouped, groups, group_of)


def _empty_question(conditions: LevelCodes) -> EmptyQuestion:
    name, codes = conditions[-1]
    names = list(dict.fromkeys(name for name, _ in conditions))
    what = (
        "filters " + " and ".join(names) + " exclude each other"
        if len(names) > 1
        else f"filter {name} leaves nothing"
    )
    return EmptyQuestion(
        f"the {what}: no code is within all that is asked", parameter=name, value=",".join(codes)
    )


def _code_mask(codebook: Codebook, at: int, level: int, conditions: LevelCodes) -> NDArray[np.bool_]:
    """Which codes of a level of the dimension at a position meet all conditions; shape (size of level,)."""
    axis = codebook.axes[at]
    mask = np.ones(axis.size(level), dtype=np.bool_)
    for name, codes in conditions:
        index, depth = codebook.levels[name].index, codebook.places[name][1]
        mask &= np.isin(axis.ancestors(level, depth), [index[code] for code in codes])
    return mask
