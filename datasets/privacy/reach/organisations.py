"""Reach of organisations: how many different organisations have at least one event in each cell.

Protected is one event. It moves one cell by at most 1, and need not move the number of organisations, so nothing is
subtracted and there is no cap; nor are there person attributes (docs/privacy/reach.md#organisations).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from datasets.definition import Cuboid
from datasets.privacy.plan import Plan, plan, split_in_proportion
from datasets.privacy.reach.planning import Shares, ensure_shares
from datasets.privacy.residuals import ExactTable, Noise, NoisyTable, measure, reconstruct

_TOTAL: Cuboid = ()


@dataclass(frozen=True)
class OrganisationFamily:
    """The different organisations in each of the `cells` of an event cuboid; 1 for their number in all.

    Raises ValueError if there is no cell.
    """

    name: str
    cells: int

    def __post_init__(self) -> None:
        if self.cells < 1:
            raise ValueError(f"family {self.name!r}: cells is {self.cells}; a family has at least 1 cell")


@dataclass(frozen=True)
class OrganisationPlan:
    """A family of organisations and the noise of each of its cells, which is independent: variance `plan.variances[()]`."""

    family: OrganisationFamily
    plan: Plan


def plan_organisations(
    families: Iterable[OrganisationFamily], *, rho: Fraction, shares: Shares | None = None
) -> dict[str, OrganisationPlan]:
    """Plans by name that cost one event exactly `rho` together (docs/privacy/reach.md#organisations).

    By default rho_X ∝ n^(1/4), the rule of `default_shares` at d = 1 without axes. Raises ValueError if two families have one
    name, or as `plan_reach` does for shares.
    """
    families = tuple(families)
    by_name = {family.name: family for family in families}
    if len(by_name) != len(families):
        raise ValueError("two families of organisations have one name; each name stands once")
    if shares is None:
        shares = split_in_proportion(Fraction(1), {name: f.cells**0.25 for name, f in by_name.items()})
    ensure_shares(shares, list(by_name))
    return {
        name: OrganisationPlan(family, plan((), [_TOTAL], rho=rho * shares[name]))
        for name, family in by_name.items()
    }


def measure_organisations(
    plans: Mapping[str, OrganisationPlan], counts: Mapping[str, ExactTable], noise: Noise
) -> dict[str, NoisyTable]:
    """Noisy numbers of different organisations by name of the family, from exact ones; shape (n,) each.

    Raises ValueError if the counts have another shape; TooManyRows as `measure` does (docs/privacy/reach.md#organisations).
    """
    return {name: _measure_cells(made, counts[name], noise) for name, made in plans.items()}


def _measure_cells(made: OrganisationPlan, counts: ExactTable, noise: Noise) -> NoisyTable:
    if counts.counts.shape != (made.family.cells,):
        raise ValueError(
            f"family {made.family.name!r}: its counts have the shape {counts.counts.shape}; "
            f"expected is {(made.family.cells,)}"
        )
    return reconstruct(made.plan, measure(made.plan, {_TOTAL: counts}, noise), _TOTAL)
