"""The declaration of a dataset, checked as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from datasets.definition.access import TOKEN_AGGREGATES, Modality, Risk
from datasets.definition.derived import Derived, ensure_derived
from datasets.definition.dimension import Dimension, Level
from datasets.definition.measure import Diagnostics, EventMeasure, Measure, PrivacyUnit, SumMeasure, Value
from datasets.definition.rules import RESERVED, ensure, ensure_name, ensure_unique
from datasets.definition.workload import Cuboid, Workload

LATE_EVENTS = (
    "An event that comes to be known after its month was released is counted in the next correction of that month, with new "
    "noise and a new spend, and in no other month."
)


MAX_MISFITS = Fraction(5, 100)
"""The share of a month's raw rows that may be left out, because they do not fit or repeat an event, unless a dataset declares
another: a build with more is refused."""


@dataclass(frozen=True)
class Dataset:
    """A declared dataset: its dimensions, measures, published cuboids and privacy cost per month.

    `rho_per_month` is split over the measures by their shares; `diagnostics.rho` is added to it.
    Raises DefinitionError if any part of it contradicts another.
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
    derived: tuple[Derived, ...] = ()
    modality: Modality = TOKEN_AGGREGATES
    risks: tuple[Risk, ...] = ()
    gaps: tuple[str, ...] = ()
    late_events: str = LATE_EVENTS
    max_misfits: Fraction = MAX_MISFITS
    law: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"dataset {self.name!r}"
        ensure_name(self.name, where)
        ensure(self.version >= 1, f"{where}: version {self.version} must be at least 1")
        ensure(bool(self.measures), f"{where}: has no measure")
        self._check_names(where)
        self._check_budget(where)
        for measure in self.measures:
            self._check_measure(measure, f"{where}, measure {measure.name!r}")
        for derived in self.derived:
            ensure_derived(derived, self.measures, self.levels, f"{where}, derived measure {derived.name!r}")

    def _check_names(self, where: str) -> None:
        names = (
            [lv.name for lv in self.levels]
            + [m.name for m in (*self.measures, *self.derived)]
            + [v.name for v in self.values]
        )
        ensure_unique(names, where)
        for name in names:
            ensure_name(name, where)
            ensure(name not in RESERVED, f"{where}: {name!r} is a word of the query grammar")
        calendars = [d.name for d in self.dimensions if d.is_calendar]
        ensure(calendars == ["day"], f"{where}: needs exactly one calendar dimension, named 'day'")

    def _check_budget(self, where: str) -> None:
        rhos = [self.rho_per_month, self.diagnostics.rho, *(m.share for m in self.measures)]
        ensure(
            all(isinstance(rho, Fraction) and rho > 0 for rho in rhos),
            f"{where}: rho and shares are positive exact fractions; write Fraction(1, 10), not 0.1",
        )
        ensure(
            0 <= self.max_misfits < 1,
            f"{where}: max_misfits {self.max_misfits} must be a share of rows below 1",
        )
        total = sum((m.share for m in self.measures), Fraction(0))
        ensure(total == 1, f"{where}: the measures' shares add up to {total}; they must add up to 1")

    def _check_measure(self, measure: Measure, where: str) -> None:
        ensure(
            0 <= measure.publish.depth <= len(self.dimensions),
            f"{where}: publishes up to {measure.publish.depth} dimensions of {len(self.dimensions)}",
        )
        names = {level.name for level in self.levels}
        publish = measure.publish
        for name in [name for name, _ in publish.levels] + [
            n for c in (*publish.deeper, *publish.emphasised) for n in c
        ]:
            ensure(name in names, f"{where}: publishes {name!r}, which is not a level of any dimension")
        self._check_emphasis(publish, where)
        kinds = {value.name: value.kind for value in self.values}
        if isinstance(measure, EventMeasure):
            ensure(measure.rows_per_unit >= 1, f"{where}: rows_per_unit must be at least 1")
            ensure(
                measure.where is None or kinds.get(measure.where) == "flag",
                f"{where}: counts where {measure.where!r}, which is not a flag among the values",
            )
        if isinstance(measure, SumMeasure):
            self._check_sum(measure, kinds, where)

    def _check_emphasis(self, publish: Workload, where: str) -> None:
        for edge in publish.edges:
            ensure(
                edge in {dimension.name for dimension in self.dimensions},
                f"{where}: {edge!r} is an edge, but not a dimension",
            )
        missing = publish.important_cuboids(self.dimensions) - {*publish.cuboids(self.dimensions)}
        names = " and ".join(sorted(map(self.cuboid_name, missing)))
        ensure(
            not missing, f"{where}: {names} is important, but not published; name a cuboid that is published"
        )

    def _check_sum(self, measure: SumMeasure, kinds: dict[str, str], where: str) -> None:
        ensure(
            kinds.get(measure.value) == "integer",
            f"{where}: sums {measure.value!r}, which is not an integer value",
        )
        ensure(
            measure.lower < measure.upper, f"{where}: lower {measure.lower} must lie below {measure.upper}"
        )
        ensure(
            (measure.upper - measure.lower) % 2 == 0,
            f"{where}: the range {measure.lower}..{measure.upper} must be even, so that its middle is whole",
        )
        counts = {m.name: m for m in self.measures if isinstance(m, EventMeasure)}
        ensure(
            measure.counted_by in counts,
            f"{where}: is counted by {measure.counted_by!r}, which is not an event measure",
        )
        missing = set(measure.publish.cuboids(self.dimensions)) - set(
            counts[measure.counted_by].publish.cuboids(self.dimensions)
        )
        ensure(
            not missing, f"{where}: is published deeper than {measure.counted_by!r}, which it is counted by"
        )

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """Every level of every dimension, in order: the names that a question may group and filter by."""
        return tuple(level for dimension in self.dimensions for level in dimension.levels)

    @property
    def rho_of_release(self) -> Fraction:
        """The rho of one release: the measures and the diagnostics."""
        return self.rho_per_month + self.diagnostics.rho

    def rho_of(self, measure: Measure) -> Fraction:
        """The rho of one measure in a release."""
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
