"""The codebook of a release: what its dimensions, codes and measures mean.

It is part of the release, so a question is always understood by the declaration that its release was made from, whatever
the declaration of today says (Delegated Regulation (EU) 2025/2050, Art. 15(2): codebooks).
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from datasets.definition import (
    Cuboid,
    Dataset,
    Derived,
    Dimension,
    EventMeasure,
    Level,
    Measure,
    Median,
    Rate,
    Share,
    SumMeasure,
    UnitMeasure,
)
from datasets.period import Month
from datasets.privacy.axis import Axis

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A name that is safe as the name of a column: it stands in SQL queries."""


class Frozen(BaseModel):
    """A part of a released document: it never changes, and has no members but those declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CodeEntry(Frozen):
    """A code, its label, and the code of the coarser level that it belongs to."""

    code: str = Field(pattern=r"^[A-Za-z0-9+_.-]{1,80}$")
    label: str
    within: str | None = None


class LevelEntry(Frozen):
    """One depth of a dimension: its name in questions, and its codes in the order in which cells are stored."""

    name: Name
    title: str
    code_list: str
    source: str
    unknown: str | None
    codes: tuple[CodeEntry, ...]

    @cached_property
    def index(self) -> dict[str, int]:
        """The position of each code."""
        return {entry.code: position for position, entry in enumerate(self.codes)}


class DimensionEntry(Frozen):
    """A dimension, with its levels from the coarsest to the finest."""

    name: Name
    title: str
    law: str
    levels: tuple[LevelEntry, ...]


class CodebookMeasure(Frozen):
    """A measure: `events` and `sum` count at most `rows_per_unit` rows of a person, `units` counts each person as one."""

    name: Name
    title: str
    kind: Literal["events", "units", "sum"]
    rows_per_unit: int | None = None
    where: str | None = None
    counted_by: str | None = None
    value: str | None = None
    lower: int | None = None
    upper: int | None = None


class BandEntry(Frozen):
    """A code that stands for the values from `lower` to `upper`; without `upper` the band has no upper end."""

    code: str
    lower: float
    upper: float | None


class DerivedEntry(Frozen):
    """A measure that is computed from others.

    A `share` is the part of `of` that falls on `codes` of `level`, out of everything or out of what falls on `among`. A
    `rate` is `numerator` divided by `denominator`. A `median` is that of `of` along the bands of `level`.
    """

    name: Name
    title: str
    kind: Literal["share", "rate", "median"]
    of: str | None = None
    level: str | None = None
    codes: tuple[str, ...] = ()
    among: tuple[str, ...] = ()
    numerator: str | None = None
    denominator: str | None = None
    bands: tuple[BandEntry, ...] = ()


class Codebook(Frozen):
    """What the columns and codes of one release mean."""

    dataset: str
    version: int
    title: str
    grain: str
    unit: str
    unit_note: str
    month: str
    law: tuple[str, ...]
    gaps: tuple[str, ...]
    late_events: str = ""
    dimensions: tuple[DimensionEntry, ...]
    measures: tuple[CodebookMeasure, ...]
    derived: tuple[DerivedEntry, ...] = ()

    @cached_property
    def levels(self) -> dict[str, LevelEntry]:
        """Every level of every dimension by name, in the order of the columns."""
        return {level.name: level for dimension in self.dimensions for level in dimension.levels}

    @cached_property
    def places(self) -> dict[str, tuple[int, int]]:
        """For each level: the position of its dimension, and its depth there (1 is the coarsest)."""
        return {
            level.name: (at, depth)
            for at, dimension in enumerate(self.dimensions)
            for depth, level in enumerate(dimension.levels, 1)
        }

    @cached_property
    def calendar(self) -> LevelEntry:
        """The days of the month: the finest level of the calendar."""
        return self._calendar_levels[-1]

    @cached_property
    def weeks(self) -> LevelEntry | None:
        """The parts of weeks in the month, if the release has them."""
        return self._calendar_levels[0] if len(self._calendar_levels) > 1 else None

    @cached_property
    def _calendar_levels(self) -> tuple[LevelEntry, ...]:
        return tuple(level for level in self.levels.values() if level.unknown is None)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the privacy engine, one for each dimension."""
        return tuple(
            Axis(d.name, tuple(map(_fan_outs, (None, *d.levels), d.levels))) for d in self.dimensions
        )

    @cached_property
    def level_names(self) -> tuple[str, ...]:
        """The levels that a question may group and filter by: all but day and week, which are asked as `freq`."""
        return tuple(level.name for level in self.levels.values() if level.unknown is not None)

    @property
    def measure_names(self) -> tuple[str, ...]:
        """The names that `measure` may ask for: measures and derived measures."""
        return (*(measure.name for measure in self.measures), *(entry.name for entry in self.derived))

    def measure(self, name: str) -> CodebookMeasure:
        """The measure of this name. Raises KeyError."""
        return {measure.name: measure for measure in self.measures}[name]

    def cuboid(self, name: str) -> Cuboid:
        """The cuboid of this name, as the column `cuboid` has it. Raises KeyError."""
        cuboid = [0] * len(self.dimensions)
        for level in () if name == "total" else name.split(","):
            at, depth = self.places[level]
            cuboid[at] = depth
        return tuple(cuboid)

    def cuboid_name(self, cuboid: Cuboid) -> str:
        """The value of the column `cuboid`: the levels joined by commas, or `total`."""
        names = [d.levels[depth - 1].name for d, depth in zip(self.dimensions, cuboid, strict=True) if depth]
        return ",".join(names) or "total"

    def text(self) -> str:
        """The contents of the file `codebook.json`."""
        return self.model_dump_json(indent=1)


def _fan_outs(coarse: LevelEntry | None, fine: LevelEntry) -> tuple[int, ...]:
    if coarse is None:
        return (len(fine.codes),)
    within = [entry.within for entry in fine.codes]
    return tuple(within.count(parent.code) for parent in coarse.codes)


def codebook_of(dataset: Dataset, month: Month) -> Codebook:
    """The codebook of a release of this declaration and month."""
    return Codebook(
        dataset=dataset.name,
        version=dataset.version,
        title=dataset.title,
        grain=dataset.grain,
        unit=dataset.unit.title,
        unit_note=dataset.unit.note,
        month=str(month),
        law=dataset.law,
        gaps=dataset.gaps,
        late_events=dataset.late_events,
        dimensions=tuple(_dimension_entry(dimension, month) for dimension in dataset.dimensions),
        measures=tuple(_codebook_measure(dataset, measure) for measure in dataset.measures),
        derived=tuple(map(_derived_entry, dataset.derived)),
    )


def _dimension_entry(dimension: Dimension, month: Month) -> DimensionEntry:
    levels = tuple(_level_entry(dimension, level, month) for level in dimension.levels)
    return DimensionEntry(name=dimension.name, title=dimension.title, law=dimension.law, levels=levels)


def _level_entry(dimension: Dimension, level: Level, month: Month) -> LevelEntry:
    codes = level.codes.in_month(month)
    return LevelEntry(
        name=level.name,
        title=codes.title,
        code_list=codes.name,
        source=codes.source,
        unknown=None if dimension.is_calendar else codes.unknown,
        codes=tuple(CodeEntry(code=c.code, label=c.label, within=c.within) for c in codes),
    )


def _codebook_measure(dataset: Dataset, measure: Measure) -> CodebookMeasure:
    match measure:
        case EventMeasure():
            return CodebookMeasure(
                name=measure.name, title=measure.title, kind="events",
                rows_per_unit=measure.rows_per_unit, where=measure.where,
            )  # fmt: skip
        case UnitMeasure():
            return CodebookMeasure(name=measure.name, title=measure.title, kind="units")
        case SumMeasure():
            counted = dataset.measure(measure.counted_by)
            assert isinstance(counted, EventMeasure)
            return CodebookMeasure(
                name=measure.name, title=measure.title, kind="sum", rows_per_unit=counted.rows_per_unit,
                where=counted.where, counted_by=counted.name, value=measure.value, lower=measure.lower, upper=measure.upper,
            )  # fmt: skip


def _derived_entry(derived: Derived) -> DerivedEntry:
    name, title = derived.name, derived.title
    match derived:
        case Share():
            return DerivedEntry(
                name=name, title=title, kind="share", of=derived.of, level=derived.level, codes=derived.codes,
                among=derived.among,
            )  # fmt: skip
        case Rate():
            return DerivedEntry(
                name=name, title=title, kind="rate", numerator=derived.numerator, denominator=derived.denominator
            )  # fmt: skip
        case Median():
            bands = tuple(BandEntry(code=b.code, lower=b.lower, upper=b.upper) for b in derived.bands)
            return DerivedEntry(
                name=name, title=title, kind="median", of=derived.of, level=derived.level, bands=bands
            )
