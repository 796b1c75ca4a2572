"""The words in which a dataset is declared: code lists, dimensions, measures, the dataset itself.

Declarations are data. Each checks itself when it is made, so a wrong one fails at import time with a
sentence that says what is wrong and what would be right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations

from datasets.period import Month

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9+_.-]{1,80}", re.ASCII)

RESERVED = frozenset(
    "event_id unit_id unit_kind occurred_at measure group_by period freq release format level ratio "
    "compare sort limit cursor labels shape confidence as_of cuboid total reason".split()
)
"""Columns of raw events and words of the query grammar: no dimension, measure or value may take them."""


class DefinitionError(ValueError):
    """A declaration that contradicts itself; the message names the place and what would be right."""


def _ensure(condition: bool, sentence: str) -> None:
    if not condition:
        raise DefinitionError(sentence)


def _ensure_unique(names: Iterable[str], where: str) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    _ensure(not twice, f"{where}: {', '.join(twice)} stands more than once; every name may stand once")


def _ensure_name(name: str, where: str) -> None:
    _ensure(
        _NAME.fullmatch(name) is not None,
        f"{where}: {name!r} is no name; names are lower case, start with a letter, and have at most 40 "
        "letters, digits and underscores",
    )


# --- code lists ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Code:
    """One value of a code list; `within` is the code it belongs to in the coarser list, if any."""

    code: str
    label: str
    within: str | None = None


@dataclass(frozen=True)
class CodeList:
    """A closed, public list of codes, with the law or the document that it comes from.

    `unknown` is the code for whatever has no counterpart in a source, so that nothing is ever dropped
    for want of a code. A list nested in a coarser one names it in `within`; its codes then stand in the
    order of their parents, so that siblings are neighbours.

    Raises DefinitionError where codes repeat, a parent is missing or siblings are apart.
    """

    name: str
    title: str
    source: str
    codes: tuple[Code, ...]
    unknown: str = "unknown"
    within: CodeList | None = None

    def __post_init__(self) -> None:
        where = f"code list {self.name!r}"
        _ensure_name(self.name, where)
        _ensure(bool(self.source.strip()), f"{where}: names no source; say the law or the document")
        _ensure(len(self.codes) >= 2, f"{where}: has {len(self.codes)} code(s); it needs at least two")
        _ensure_unique((code.code for code in self.codes), where)
        for code in self.codes:
            _ensure(
                _CODE.fullmatch(code.code) is not None,
                f"{where}: {code.code!r} is no code; codes have 1 to 80 letters, digits and + _ . -",
            )
            _ensure(bool(code.label.strip()), f"{where}: the code {code.code} has no label")
        _ensure(
            self.unknown in self.index,
            f"{where}: its code for the unknown, {self.unknown!r}, is not among its codes",
        )
        self._check_nesting(where)

    def _check_nesting(self, where: str) -> None:
        parents = [code.within for code in self.codes]
        if self.within is None:
            _ensure(not any(parents), f"{where}: codes name a parent, but the list is within no other list")
            return
        for code in self.codes:
            _ensure(
                code.within in self.within.index,
                f"{where}: the parent {code.within!r} of {code.code} is no code of {self.within.name!r}",
            )
        order = [self.within.index[code.within] for code in self.codes if code.within is not None]
        _ensure(order == sorted(order), f"{where}: codes must stand in the order of {self.within.name!r}")
        childless = set(self.within.index) - set(parents)
        _ensure(not childless, f"{where}: nothing is within {', '.join(sorted(map(str, childless)))}")

    @cached_property
    def index(self) -> dict[str, int]:
        """The position of each code, in the order in which cells are stored."""
        return {code.code: position for position, code in enumerate(self.codes)}

    def in_month(self, month: Month) -> CodeList:
        return self

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[Code]:
        return iter(self.codes)


@dataclass(frozen=True)
class DaysOfMonth:
    """The days of the month that a release covers: a code list that the calendar fills."""

    name: str = "day"
    title: str = "Days of the month, UTC"
    source: str = "ISO 8601-1:2019, calendar dates"
    within: None = None

    def in_month(self, month: Month) -> CodeList:
        days = tuple(Code(day.isoformat(), day.isoformat()) for day in month.days)
        return CodeList(self.name, self.title, self.source, days, unknown=days[0].code)


# --- dimensions ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Level:
    """One depth at which a dimension can be asked: its name in a question, and its codes."""

    name: str
    codes: CodeList | DaysOfMonth


@dataclass(frozen=True)
class Dimension:
    """What events are counted by. `finer` adds nested levels below the first: keyword within category.

    Raw events carry the code of the finest level, in a column of that level's name.
    """

    name: str
    title: str
    codes: CodeList | DaysOfMonth
    law: str = ""
    finer: tuple[Level, ...] = ()

    def __post_init__(self) -> None:
        where = f"dimension {self.name!r}"
        for level in self.levels:
            _ensure_name(level.name, where)
            _ensure(level.name not in RESERVED, f"{where}: {level.name!r} is a word of the query grammar")
        for coarse, fine in zip(self.levels, self.finer, strict=False):
            _ensure(
                fine.codes.within is coarse.codes,
                f"{where}: the list of {fine.name!r} is not within the list of {coarse.name!r}",
            )

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """From the coarsest to the finest; level 0, the total, is not among them."""
        return (Level(self.name, self.codes), *self.finer)

    @property
    def finest(self) -> Level:
        return self.levels[-1]

    @property
    def is_calendar(self) -> bool:
        return isinstance(self.codes, DaysOfMonth)


# --- what is published --------------------------------------------------------------------------

Cuboid = tuple[int, ...]
"""A cuboid: for each dimension in order, the level it is broken down to; 0 is the total."""


@dataclass(frozen=True)
class Workload:
    """Which cuboids are published: all of up to `depth` dimensions at their first level, those of up to
    a given number of dimensions in which a finer level takes part, and any named one.

    >>> up_to(2).finer("keyword", 1).named("keyword", "day").levels
    (('keyword', 1),)
    """

    depth: int
    levels: tuple[tuple[str, int], ...] = ()
    deeper: tuple[tuple[str, ...], ...] = ()

    def finer(self, level: str, depth: int) -> Workload:
        """Publish `level` too, in cuboids of at most `depth` dimensions."""
        return Workload(self.depth, (*self.levels, (level, depth)), self.deeper)

    def named(self, *levels: str) -> Workload:
        """Publish this one cuboid too, however deep."""
        return Workload(self.depth, self.levels, (*self.deeper, levels))

    def cuboids(self, dimensions: tuple[Dimension, ...]) -> tuple[Cuboid, ...]:
        """The published cuboids, the total first, then by number of dimensions and their order."""
        depths = {level.name: self.depth for level in (d.levels[0] for d in dimensions)} | dict(self.levels)
        found: set[Cuboid] = set()
        for size in range(max(depths.values(), default=0) + 1):
            for chosen in combinations(range(len(dimensions)), size):
                found.update(self._at_levels(dimensions, chosen, depths))
        found.update(cuboid_of(dimensions, names) for names in self.deeper)
        return tuple(sorted(found, key=lambda c: (sum(map(bool, c)), [-level for level in c])))

    @staticmethod
    def _at_levels(
        dimensions: tuple[Dimension, ...], chosen: tuple[int, ...], depths: dict[str, int]
    ) -> Iterator[Cuboid]:
        partial: list[Cuboid] = [()]
        for position, dimension in enumerate(dimensions):
            allowed = (
                [n for n, lv in enumerate(dimension.levels, 1) if depths.get(lv.name, 0) >= len(chosen)]
                if position in chosen
                else [0]
            )
            partial = [(*head, level) for head in partial for level in allowed]
        yield from partial


def up_to(depth: int) -> Workload:
    """All cuboids of at most `depth` dimensions, each at its first level."""
    return Workload(depth)


def cuboid_of(dimensions: tuple[Dimension, ...], names: Iterable[str]) -> Cuboid:
    """The cuboid broken down by the levels of these names. Raises DefinitionError on an unknown name."""
    places = {lv.name: (i, n) for i, d in enumerate(dimensions) for n, lv in enumerate(d.levels, 1)}
    cuboid = [0] * len(dimensions)
    for name in names:
        _ensure(name in places, f"cuboid {', '.join(names)}: {name!r} is no level of any dimension")
        position, level = places[name]
        cuboid[position] = max(cuboid[position], level)
    return tuple(cuboid)


# --- measures -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Value:
    """A column of raw events that is not a dimension: a yes or no (`flag`), or a whole number (`integer`).

    A source without it gives `absent`, and the measures that need it are then not collected.
    """

    name: str
    title: str
    kind: str = "flag"
    absent: int = 0


@dataclass(frozen=True, slots=True)
class EventMeasure:
    """A number of events, of which one person contributes at most `rows_per_unit` a month.

    `where` names the flag that an event must carry to be counted (None: every event).
    `share` is the part of the dataset's rho spent on it.
    """

    name: str
    title: str
    rows_per_unit: int
    publish: Workload
    share: Fraction
    where: str | None = None


@dataclass(frozen=True, slots=True)
class UnitMeasure:
    """A number of privacy units, each weighing exactly one, spread over the cells of all its rows."""

    name: str
    title: str
    publish: Workload
    share: Fraction


@dataclass(frozen=True, slots=True)
class SumMeasure:
    """The sum of an integer value clamped to [lower, upper], over the rows that `counted_by` counts.

    What is measured is the sum of (value - middle), so that a row moves it by half the range at most;
    the published sum adds middle times the count (PRIVACY.md, section 8).
    """

    name: str
    title: str
    value: str
    lower: int
    upper: int
    counted_by: str
    publish: Workload
    share: Fraction

    @property
    def middle(self) -> int:
        return (self.lower + self.upper) // 2

    @property
    def half_range(self) -> int:
        return (self.upper - self.lower) // 2


Measure = EventMeasure | UnitMeasure | SumMeasure


@dataclass(frozen=True, slots=True)
class PrivacyUnit:
    """Whose privacy is protected: all rows of one such person in one month, together."""

    title: str
    note: str = (
        "Protected are natural persons, with all their rows of the month. The rows of an organisation are not "
        "capped in event measures, where each row stands for itself; in unit measures an organisation weighs one."
    )


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """The spend on telling how much bounding has cut: rows capped at `rows_per_unit`, by one dimension."""

    rho: Fraction
    rows_per_unit: int = 1000


# --- the dataset --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dataset:
    """A declared dataset: what is counted, by what, for whom, how deep and at what privacy cost a month.

    `rho_per_month` is split over the measures by their shares; `diagnostics.rho` comes on top.
    Raises DefinitionError where anything in it contradicts anything else.
    """

    name: str
    title: str
    version: int
    grain: str
    unit: PrivacyUnit
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    rho_per_month: Fraction
    diagnostics: Diagnostics
    values: tuple[Value, ...] = ()
    gaps: tuple[str, ...] = ()
    law: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"dataset {self.name!r}"
        _ensure_name(self.name, where)
        _ensure(self.version >= 1, f"{where}: version {self.version} must be at least 1")
        _ensure(bool(self.measures), f"{where}: has no measure")
        self._check_names(where)
        self._check_budget(where)
        for measure in self.measures:
            self._check_measure(measure, f"{where}, measure {measure.name!r}")

    def _check_names(self, where: str) -> None:
        names = (
            [lv.name for lv in self.levels] + [m.name for m in self.measures] + [v.name for v in self.values]
        )
        _ensure_unique(names, where)
        for name in names:
            _ensure_name(name, where)
            _ensure(name not in RESERVED, f"{where}: {name!r} is a word of the query grammar")
        calendars = [d.name for d in self.dimensions if d.is_calendar]
        _ensure(calendars == ["day"], f"{where}: needs exactly one calendar dimension, named 'day'")

    def _check_budget(self, where: str) -> None:
        rhos = [self.rho_per_month, self.diagnostics.rho, *(m.share for m in self.measures)]
        _ensure(
            all(isinstance(rho, Fraction) and rho > 0 for rho in rhos),
            f"{where}: rho and shares are positive exact fractions; write Fraction(1, 10), not 0.1",
        )
        total = sum((m.share for m in self.measures), Fraction(0))
        _ensure(total == 1, f"{where}: the measures' shares add up to {total}; they must add up to 1")

    def _check_measure(self, measure: Measure, where: str) -> None:
        _ensure(
            0 <= measure.publish.depth <= len(self.dimensions),
            f"{where}: publishes up to {measure.publish.depth} dimensions of {len(self.dimensions)}",
        )
        names = {level.name for level in self.levels}
        for name in [name for name, _ in measure.publish.levels] + [
            n for c in measure.publish.deeper for n in c
        ]:
            _ensure(name in names, f"{where}: publishes {name!r}, which is no level of any dimension")
        kinds = {value.name: value.kind for value in self.values}
        if isinstance(measure, EventMeasure):
            _ensure(measure.rows_per_unit >= 1, f"{where}: rows_per_unit must be at least 1")
            _ensure(
                measure.where is None or kinds.get(measure.where) == "flag",
                f"{where}: counts where {measure.where!r}, which is no flag among the values",
            )
        if isinstance(measure, SumMeasure):
            self._check_sum(measure, kinds, where)

    def _check_sum(self, measure: SumMeasure, kinds: dict[str, str], where: str) -> None:
        _ensure(
            kinds.get(measure.value) == "integer",
            f"{where}: sums {measure.value!r}, which is no integer value",
        )
        _ensure(
            measure.lower < measure.upper, f"{where}: lower {measure.lower} must lie below {measure.upper}"
        )
        _ensure(
            (measure.upper - measure.lower) % 2 == 0,
            f"{where}: the range {measure.lower}..{measure.upper} must be even, so that its middle is whole",
        )
        counts = {m.name: m for m in self.measures if isinstance(m, EventMeasure)}
        _ensure(
            measure.counted_by in counts,
            f"{where}: is counted by {measure.counted_by!r}, which is no event measure",
        )
        missing = set(measure.publish.cuboids(self.dimensions)) - set(
            counts[measure.counted_by].publish.cuboids(self.dimensions)
        )
        _ensure(
            not missing, f"{where}: is published deeper than {measure.counted_by!r}, which it is counted by"
        )

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """Every level of every dimension, in order: the names a question may group and filter by."""
        return tuple(level for dimension in self.dimensions for level in dimension.levels)

    @property
    def rho_of_release(self) -> Fraction:
        """What one release costs: the measures and the diagnostics."""
        return self.rho_per_month + self.diagnostics.rho

    def rho_of(self, measure: Measure) -> Fraction:
        return self.rho_per_month * measure.share

    def measure(self, name: str) -> Measure:
        """The measure of this name. Raises KeyError."""
        return {m.name: m for m in self.measures}[name]

    def cuboid_name(self, cuboid: Cuboid) -> str:
        """The levels of a cuboid, joined by commas; `total` for the cuboid of no dimension.

        It is the value of the column `cuboid` in the released cells.
        """
        names = [d.levels[lv - 1].name for d, lv in zip(self.dimensions, cuboid, strict=True) if lv]
        return ",".join(names) or "total"
