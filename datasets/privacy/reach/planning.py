"""Plans of reach: how the budget is split between the persons and the families, and within each of them.

A family is a batch of n tables over the person attributes, each with independent noise; its plan is that of one of them with
the sensitivity of the whole batch (docs/privacy/reach.md#what-a-family-costs). No data is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from datasets.definition import Cuboid
from datasets.privacy.axis import Axis
from datasets.privacy.plan import Plan, cell_count, plan, split_in_proportion
from datasets.privacy.reach.family import Family

PERSONS = "persons"
"""The name of the family of all persons: no event dimension, a weight of one, and nothing is subtracted."""

Shares = Mapping[str, Fraction]


@dataclass(frozen=True)
class FamilyPlan:
    """A family and how much noise each of its residuals gets, the same in each of its cells."""

    family: Family
    plan: Plan


@dataclass(frozen=True)
class ReachPlan:
    """The plan of the persons and those of the families, by name (docs/privacy/reach.md#shares)."""

    persons: Plan
    families: Mapping[str, FamilyPlan]

    @property
    def rho(self) -> Fraction:
        """What one person pays for all of them."""
        return self.persons.rho + sum((each.plan.rho for each in self.families.values()), Fraction(0))


def plan_reach(
    axes: Sequence[Axis],
    families: Iterable[Family],
    *,
    persons: Iterable[Cuboid],
    rho: Fraction,
    shares: Shares | None = None,
) -> ReachPlan:
    """Plans that cost exactly `rho` together, over the axes of the person attributes (docs/privacy/reach.md#shares).

    `persons` is the workload of the persons, which contains that of each family. `shares` gives the part of rho of each
    family and of "persons"; by default that of `default_shares`. Raises ValueError if two families have one name, the persons
    are published by less than a family, or the shares do not name exactly the families or do not add up to 1.
    """
    axes, families, persons = tuple(axes), tuple(families), tuple(persons)
    _ensure_names_differ(families)
    _ensure_persons_contain(persons, families)
    if shares is None:
        shares = default_shares(axes, families, persons)
    ensure_shares(shares, [PERSONS, *(family.name for family in families)])
    return ReachPlan(
        plan(axes, persons, rho=rho * shares[PERSONS]),
        {family.name: _plan_family(axes, family, rho * shares[family.name]) for family in families},
    )


def _plan_family(axes: Sequence[Axis], family: Family, rho: Fraction) -> FamilyPlan:
    made = plan(axes, family.workload, rho=rho, sensitivity=family.sensitivity, grain=family.grain)
    return FamilyPlan(family, made)


def default_shares(
    axes: Sequence[Axis], families: Sequence[Family], persons: Sequence[Cuboid]
) -> dict[str, Fraction]:
    """The part of the budget of each family and of the persons; the parts add up to 1 (docs/privacy/reach.md#shares).

    rho_X ∝ sqrt(d · obj_X · sqrt(n)), obj_X the sum over W_X of mean variance times the root of the cells. For the persons,
    whose noise is part of each family's, it is sqrt(obj · (1 + sum over the families of b² sqrt(n) / 3)).
    """
    carried = sum(float(family.centre) ** 2 * sqrt(family.cells) for family in families)
    roots = {PERSONS: sqrt(_workload_objective(axes, persons) * (1 + carried / 3))}
    for family in families:
        objective = _workload_objective(axes, family.workload)
        roots[family.name] = sqrt(float(family.price) * objective * sqrt(family.cells))
    return split_in_proportion(Fraction(1), roots)


def _workload_objective(axes: Sequence[Axis], workload: Sequence[Cuboid]) -> float:
    made = plan(axes, workload, rho=Fraction(1, 2))
    return sum(made.mean_variance(cuboid) * sqrt(cell_count(axes, cuboid)) for cuboid in made.workload)


def ensure_shares(shares: Shares, names: Sequence[str]) -> None:
    """Raises ValueError if the shares are not those of exactly these names, positive, with the sum 1."""
    if set(shares) != set(names):
        raise ValueError(
            f"shares names {', '.join(sorted(shares))}; it names exactly {', '.join(sorted(names))}"
        )
    if min(shares.values()) <= 0 or sum(shares.values()) != 1:
        raise ValueError(
            f"the shares add up to {sum(shares.values())}; they are positive and add up to exactly 1"
        )


def _ensure_names_differ(families: Sequence[Family]) -> None:
    names = [PERSONS, *(family.name for family in families)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"the name of a family is {twice[0]!r}; each name stands once, and {PERSONS!r} is taken"
        )


def _ensure_persons_contain(persons: Sequence[Cuboid], families: Sequence[Family]) -> None:
    for family in families:
        missing = [cuboid for cuboid in family.workload if cuboid not in persons]
        if missing:
            raise ValueError(
                f"family {family.name!r} is published by {missing[0]}, the persons are not; publish them by it too"
            )
