"""Measures: what is counted, the values that it needs, the privacy unit, and the budget of diagnostics."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from datasets.definition.workload import Workload


@dataclass(frozen=True, slots=True)
class Value:
    """A column of raw events that is not a dimension: a yes or no (`flag`), or a whole number (`integer`).

    If a source lacks it, every row has the value `absent`, and the measures that need it are not collected.
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
    """A number of privacy units. Each weighs exactly one, which is spread over the cells of all its rows."""

    name: str
    title: str
    publish: Workload
    share: Fraction


@dataclass(frozen=True, slots=True)
class SumMeasure:
    """The sum of an integer value clamped to [lower, upper], over the rows that `counted_by` counts.

    The sum of (value - middle) is measured, so that a row changes it by at most half the range;
    the published sum adds middle times the count (docs/privacy/bounding.md#sums).
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
    """Whose privacy is protected: all rows of one such person in one month together."""

    title: str
    note: str = (
        "Protected are natural persons, with all their rows of the month. The rows of an organisation are not "
        "capped in event measures, where each row stands for itself; in unit measures an organisation weighs one."
    )


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """The budget for estimating how many rows bounding dropped: rows capped at `rows_per_unit`, by one dimension."""

    rho: Fraction
    rows_per_unit: int = 1000
