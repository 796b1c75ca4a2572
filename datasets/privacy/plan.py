"""Plans: which residuals are measured, and how much of the budget each may cost. No data is read.

A cuboid A is the sum of its residuals B, one for each choice of a level no finer than A's on every axis, and
residuals are measured once and shared by all cuboids that contain them. The split of the budget has a closed
form (RP, theorem 5; docs/privacy/planning.md#the-split, and docs/privacy/levels.md for nested levels):

    p_B = prod_i max over leaves (1 - 1/siblings)                          what one row costs at variance 1
    v_B = sum_{A in W, A >= B} w_A · prod_i F_i(B_i, A_i)                  how much B's variance weighs in W
    s_B ∝ sqrt(p_B / v_B)  minimises  sum_A w_A · cells_A · Var(A)  =  sum_B s_B v_B   at  rho = Δ²/2 · sum_B p_B / s_B

so each residual gets the part sqrt(p_B v_B) / sum of rho. Parts are exact fractions that add up to rho.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import product
from math import inf, nextafter, prod, sqrt
from typing import TypeVar

import numpy as np

from datasets.definition import Cuboid
from datasets.privacy.axis import Axis
from datasets.privacy.discrete_gaussian import MAX_SCALE

Part = TypeVar("Part")

_BUDGET_PARTS = 1 << 48
"""The budget is split into this many parts; each residual gets a whole number of them, at least one."""


IMPORTANT = 10
"""How many times its weight an important cuboid has (docs/privacy/strata.md#important-cuboids)."""


@dataclass(frozen=True)
class Plan:
    """A budget split over residuals.

    `grain` is the number of integer units in one published unit (10,000 for a measure in which each person weighs
    one, else 1); `sensitivity` is the largest sum of absolute weights, in these units, of all rows of one
    privacy unit (docs/privacy/planning.md#what-a-plan-costs), or for a batch of tables the largest length of the vector of
    these sums (docs/privacy/reach.md#what-a-family-costs). `rho_of` gives each residual's cost; the costs add up to `rho`.
    """

    axes: tuple[Axis, ...]
    workload: tuple[Cuboid, ...]
    rho: Fraction
    sensitivity: int
    grain: int
    rho_of: Mapping[Cuboid, Fraction]

    def deviation(self, residual: Cuboid) -> float:
        """The noise scale of a residual before the factor of its siblings, in grains, rounded up.

        Rounding up makes its cost, sensitivity² · p_B / (2 deviation²), at most `rho_of[residual]`, exactly.
        """
        return self._deviations[residual]

    @cached_property
    def _deviations(self) -> dict[Cuboid, float]:
        return {b: root_above(self._least_variance(b)) for b in self.rho_of}

    def _least_variance(self, residual: Cuboid) -> Fraction:
        return self.sensitivity**2 * row_cost(self.axes, residual) / (2 * self.rho_of[residual])

    @cached_property
    def variances(self) -> dict[Cuboid, float]:
        """s_B of each residual, in published units squared: the accuracy metadata of a release."""
        return {b: (deviation / self.grain) ** 2 for b, deviation in self._deviations.items()}

    def mean_variance(self, cuboid: Cuboid) -> float:
        """The variance of a cell of a published cuboid, averaged over its cells."""
        total = sum(self.variances[b] * _variance_weight(self.axes, b, cuboid) for b in residuals_of(cuboid))
        return total / cell_count(self.axes, cuboid)


def plan(
    axes: Sequence[Axis],
    workload: Iterable[Cuboid],
    *,
    rho: Fraction,
    sensitivity: int = 1,
    grain: int = 1,
    weights: Mapping[Cuboid, float] | None = None,
) -> Plan:
    """The plan that minimises the weighted sum of the workload's variances at a cost of exactly `rho`.

    `weights` gives each cuboid's weight per cell; 1/sqrt(cells) by default. Raises ValueError if the workload
    is empty, a cuboid does not fit the axes, or noise would be wider than can be drawn exactly.

    >>> sex = Axis("sex", ((2,),))
    >>> plan([sex], [(1,)], rho=Fraction(1, 2)).rho_of
    {(0,): Fraction(1, 4), (1,): Fraction(1, 4)}
    """
    axes, workload = tuple(axes), tuple(dict.fromkeys(workload))
    _ensure_plannable(axes, workload, rho, sensitivity, grain)
    if weights and not all(0 < weights[cuboid] < inf for cuboid in workload):
        raise ValueError("weights must be positive")
    need: dict[Cuboid, float] = {}
    for cuboid in workload:
        weight = weights[cuboid] if weights else 1 / sqrt(cell_count(axes, cuboid))
        for b in residuals_of(cuboid):
            need[b] = need.get(b, 0.0) + weight * _variance_weight(axes, b, cuboid)
    roots = {b: sqrt(float(row_cost(axes, b)) * v) for b, v in need.items()}
    split = Plan(axes, workload, rho, sensitivity, grain, split_in_proportion(rho, roots))
    _ensure_drawable(split)
    return split


def split_in_proportion(rho: Fraction, roots: Mapping[Part, float]) -> dict[Part, Fraction]:
    """`rho` split in proportion to positive numbers: exact fractions, none of them 0, that add up to it.

    The parts of docs/privacy/planning.md#the-split.

    >>> split_in_proportion(Fraction(1, 2), {"one": 1.0, "other": 1.0})
    {'one': Fraction(1, 4), 'other': Fraction(1, 4)}
    """
    total = sum(roots.values())
    parts = {part: max(1, int(root / total * _BUDGET_PARTS)) for part, root in roots.items()}
    whole = sum(parts.values())
    return {part: rho * number / whole for part, number in parts.items()}


def _ensure_drawable(split: Plan) -> None:
    """Raises ValueError if the noise of a residual is wider than the sampler can draw exactly."""
    for b in split.rho_of:
        folded = prod(
            int(axis.siblings(level).max()) for axis, level in zip(split.axes, b, strict=True) if level
        )
        scale = split.deviation(b) * folded
        if scale > MAX_SCALE:
            raise ValueError(
                f"residual {b} needs noise of scale {scale:.3g}, above {MAX_SCALE:.3g}; "
                "publish fewer dimensions at once, or give more rho"
            )


def _ensure_plannable(
    axes: tuple[Axis, ...], workload: tuple[Cuboid, ...], rho: Fraction, *positive: int
) -> None:
    if not workload:
        raise ValueError("a plan needs at least one cuboid to publish")
    for cuboid in workload:
        if len(cuboid) != len(axes) or any(
            not 0 <= level <= axis.depth for axis, level in zip(axes, cuboid, strict=False)
        ):
            raise ValueError(f"cuboid {cuboid} does not fit axes of depths {[axis.depth for axis in axes]}")
    if rho <= 0 or min(positive) < 1:
        raise ValueError("rho, sensitivity and grain must be positive")


def residuals_of(cuboid: Cuboid) -> Iterable[Cuboid]:
    """The residuals that a cuboid is the sum of: every choice of levels no finer than its own, the total first."""
    return product(*(range(level + 1) for level in cuboid))


def cell_count(axes: Sequence[Axis], cuboid: Cuboid) -> int:
    """The number of cells of a cuboid."""
    return prod(axis.size(level) for axis, level in zip(axes, cuboid, strict=True))


def cuboid_weights(
    axes: Sequence[Axis],
    workload: Iterable[Cuboid],
    important: Collection[Cuboid] = (),
    *,
    power: float = 0.5,
) -> dict[Cuboid, float]:
    """The weight per cell of each cuboid, for `plan`: 1 / cells^power, ten times that for important ones.

    Power 1/2 is the default of plans; 1 favours small tables (docs/privacy/numbers.md#the-choice-of-weights).

    >>> cuboid_weights([Axis("day", ((4,),))], [(0,), (1,)], {(1,)})
    {(0,): 1.0, (1,): 5.0}
    """
    return {
        cuboid: (IMPORTANT if cuboid in important else 1) / cell_count(axes, cuboid) ** power
        for cuboid in workload
    }


def row_cost(axes: Sequence[Axis], residual: Cuboid) -> Fraction:
    """p_B: the squared distance by which one row changes a residual, at the leaf where it is largest.

    >>> row_cost([Axis("sex", ((2,),)), Axis("day", ((30,),))], (1, 1))
    Fraction(29, 60)
    """
    fans = [axis.fans[level - 1] for axis, level in zip(axes, residual, strict=True) if level]
    return prod((1 - Fraction(1, max(fan)) for fan in fans), start=Fraction(1))


def _variance_weight(axes: Sequence[Axis], residual: Cuboid, cuboid: Cuboid) -> float:
    """prod_i F_i: the variance that residual noise of variance 1 gives a cuboid, summed over its cells."""
    return prod(_spread_weight(axis, b, a) for axis, b, a in zip(axes, residual, cuboid, strict=True) if a)


@cache
def _spread_weight(axis: Axis, residual: int, level: int) -> float:
    """F(b, a): sum over the cells of level a of (1 - 1/siblings at b) · prod of 1/fan² on the path from b to a."""
    shares = np.ones(axis.size(level))
    for fine in range(level, residual, -1):
        shares = axis.add_up(shares / axis.siblings(fine) ** 2, 0, fine, fine - 1)
    kept = 1 - 1 / axis.siblings(residual) if residual else np.ones(1)
    return float(shares @ kept)


def root_above(square: Fraction) -> float:
    """A double whose exact square is not below `square`, and hardly above it."""
    root = sqrt(square)
    while Fraction(root) ** 2 < square:
        root = nextafter(root, inf)
    return root
