"""What is wanted: the tables of each kind of measure, as plain data.

Nothing here contains a salt, a path or anything of an event, so it can be pickled and sent to another process. All tables of
a dataset and month have the same strata. docs/privacy/counting.md says what each kind counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from datasets.definition import Cuboid, Dataset
from datasets.definition.rules import ensure
from datasets.period import Month
from datasets.privacy.axis import Axis, axes_of
from datasets.privacy.plan import cell_count

MAX_HALF_RANGE = 1 << 31
"""The largest half of the range of a clamped value: sums of 2^31 rows of it fit 64 bits."""


@dataclass(frozen=True, slots=True)
class ClampedValue:
    """The value of a row in a sum: the column `name` clamped to [lower, upper], minus the whole middle of the two."""

    name: str
    lower: int
    upper: int

    def __post_init__(self) -> None:
        where = f"value {self.name!r}: the range {self.lower}..{self.upper}"
        ensure(self.lower < self.upper, f"{where} is empty; the lower end must lie below the upper")
        ensure((self.upper - self.lower) % 2 == 0, f"{where} must be even, so that its middle is whole")
        ensure(
            self.half_range <= MAX_HALF_RANGE,
            f"{where} must be at most {2 * MAX_HALF_RANGE} wide, so that sums are exact",
        )

    @property
    def middle(self) -> int:
        return (self.lower + self.upper) // 2

    @property
    def half_range(self) -> int:
        return (self.upper - self.lower) // 2


@dataclass(frozen=True, slots=True)
class WantedEvents:
    """Numbers of rows, or sums of a value over them: one table for each stratum and one for organisations.

    `caps` has one number per stratum: of a person there, the first so many rows by lot count. With `where`, only rows with
    this flag are ranked and counted. Organisations have no cap. `cuboids` are those of `covering_tables`.
    """

    name: str
    cuboids: tuple[Cuboid, ...]
    caps: tuple[int, ...]
    where: str | None = None
    value: ClampedValue | None = None


@dataclass(frozen=True, slots=True)
class WantedMix:
    """Persons by the average person's mix: each weighs 10,000 grains, spread over all its rows."""

    name: str
    cuboids: tuple[Cuboid, ...]


@dataclass(frozen=True, slots=True)
class PersonAttributes:
    """What persons are divided by: dimensions at `levels`, 0 if not by this one, and the stratum, if `by_activity`.

    A combination of codes is a *leaf*. Leaves are numbered in C order of: stratum, dimensions in their order.
    """

    levels: Cuboid
    by_activity: bool = False


@dataclass(frozen=True, slots=True)
class WantedReach:
    """A family: how many different persons have a row in each cell of the cuboid `cells`, by attributes of the person.

    A person with rows in k cells weighs 1,000 grains in each if k is at most `cap`, else less
    (docs/privacy/counting.md#reach).
    """

    name: str
    cells: Cuboid
    cap: int
    by: PersonAttributes


@dataclass(frozen=True, slots=True)
class WantedOrganisations:
    """How many different organisations have a row in each cell of the cuboid `cells`."""

    name: str
    cells: Cuboid


@dataclass(frozen=True, slots=True)
class WantedActivity:
    """How many persons have how many rows, or rows with the flag `where`: bands that end at `ends`, the first begins at 1."""

    name: str
    ends: tuple[int, ...]
    where: str | None = None

    @property
    def most(self) -> int:
        """The most rows of one person that are seen."""
        return self.ends[-1]


Kind = WantedEvents | WantedMix | WantedReach | WantedOrganisations | WantedActivity


@dataclass(frozen=True)
class WantedTables:
    """All tables that are wanted of a dataset's month, and the ends m_1 < ... < m_S of the strata that all of them use.

    Raises DefinitionError if a part contradicts the dataset or another part.
    """

    dataset: Dataset
    month: Month
    ends: tuple[int, ...]
    kinds: tuple[Kind, ...] = field(default=())

    def __post_init__(self) -> None:
        _ensure_rising(self.ends, "strata")
        twice = [name for name, times in Counter(kind.name for kind in self.kinds).items() if times > 1]
        ensure(not twice, f"tables {twice} are wanted more than once; every name may stand once")
        for kind in self.kinds:
            self._check(kind, f"tables {kind.name!r}")

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the dataset in the month."""
        return axes_of(self.dataset, self.month)

    def leaves(self, by: PersonAttributes) -> int:
        """The number of leaves of these attributes."""
        return cell_count(self.axes, by.levels) * (len(self.ends) if by.by_activity else 1)

    @property
    def values(self) -> tuple[str, ...]:
        """The columns, apart from dimensions, that must be read: flags and values, in the order of the declaration."""
        flags = {kind.where for kind in self.kinds if isinstance(kind, WantedEvents | WantedActivity)}
        sums = {kind.value.name for kind in self.kinds if isinstance(kind, WantedEvents) and kind.value}
        return tuple(value.name for value in self.dataset.values if value.name in flags | sums)

    def _check(self, kind: Kind, where: str) -> None:
        for cuboid in cuboids_of(kind):
            self._check_levels(cuboid, f"{where}: cuboid {cuboid}")
        match kind:
            case WantedEvents():
                self._check_flag(kind.where, where)
                self._check_events(kind, where)
            case WantedReach():
                self._check_levels(kind.by.levels, f"{where}: attributes {kind.by.levels}")
                number = cell_count(self.axes, kind.cells)
                ensure(
                    1 <= kind.cap <= number, f"{where}: cap {kind.cap} must be from 1 to {number}, its cells"
                )
            case WantedActivity():
                self._check_flag(kind.where, where)
                _ensure_rising(kind.ends, f"{where}: bands")

    def _check_events(self, kind: WantedEvents, where: str) -> None:
        ensure(
            len(kind.caps) == len(self.ends) and min(kind.caps) >= 1,
            f"{where}: caps {kind.caps} must be {len(self.ends)} numbers from 1, one for each stratum",
        )
        ensure(
            kind.value is None or (kind.value.name, "integer") in self._declared,
            f"{where}: sums {kind.value and kind.value.name!r}, which is not an integer value of the dataset",
        )

    def _check_flag(self, flag: str | None, where: str) -> None:
        ensure(
            flag is None or (flag, "flag") in self._declared,
            f"{where}: counts where {flag!r}, which is not a flag among the values of the dataset",
        )

    def _check_levels(self, levels: Cuboid, where: str) -> None:
        depths = tuple(axis.depth for axis in self.axes)
        ensure(
            len(levels) == len(depths) and all(0 <= a <= d for a, d in zip(levels, depths, strict=True)),
            f"{where} must have a level from 0 to {depths} for each dimension",
        )

    @property
    def _declared(self) -> set[tuple[str, str]]:
        return {(value.name, value.kind) for value in self.dataset.values}


def cuboids_of(kind: Kind) -> tuple[Cuboid, ...]:
    """The cuboids of a kind, in whose cells rows are counted; none of activity."""
    match kind:
        case WantedEvents() | WantedMix():
            return kind.cuboids
        case WantedReach() | WantedOrganisations():
            return (kind.cells,)
        case WantedActivity():
            return ()


def _ensure_rising(ends: Sequence[int], where: str) -> None:
    ensure(
        len(ends) >= 1 and all(low < high for low, high in zip((0, *ends), ends, strict=False)),
        f"{where}: {tuple(ends)} must be whole numbers from 1, each above the one before",
    )
