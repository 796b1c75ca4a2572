"""Estimates how much bounding has removed, under differential privacy: the kept share of each event measure.

It is the ratio of the published count, bounded by m rows per unit, to a count with a much looser bound. Both have
independent noise; the interval is Fieller's. Shares lie in [0, 1], so estimate and interval are clipped to that range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from datasets.definition import Cuboid
from datasets.pipeline.measurement.noise import NoisyCells, Tables
from datasets.pipeline.planning.budget import Budget
from datasets.privacy.plan import Plan
from datasets.privacy.ratio import Ratio, fieller


@dataclass(frozen=True)
class KeptShares:
    """Kept shares of one event measure: overall, and per code of the level that each dimension is named after."""

    overall: Ratio
    by_level: dict[str, dict[str, Ratio]]


def estimate_kept_shares(budget: Budget, cells: NoisyCells, name: str) -> KeptShares:
    """The kept shares of one event measure. Reads only noisy tables."""
    share = _share_estimator(
        budget.measures[name], cells.measures[name], budget.diagnostics[name], cells.wide[name]
    )
    total: Cuboid = (0,) * len(budget.dataset.dimensions)
    by_level = {
        dimension.name: {
            code.code: share(_one_way_cuboid(total, at, dimension.depth), position)
            for position, code in enumerate(dimension.codes.in_month(budget.month))
        }
        for at, dimension in enumerate(budget.dataset.dimensions)
        if _one_way_cuboid(total, at, dimension.depth) in budget.measures[name].workload
    }
    return KeptShares(share(total, 0), by_level)


def _one_way_cuboid(total: Cuboid, at: int, depth: int) -> Cuboid:
    return (*total[:at], depth, *total[at + 1 :])


def _share_estimator(
    kept_plan: Plan, kept: Tables, wide_plan: Plan, wide: Tables
) -> Callable[[Cuboid, int], Ratio]:
    def share(cuboid: Cuboid, position: int) -> Ratio:
        ratio = fieller(
            float(kept[cuboid].values.flat[position]),
            float(wide[cuboid].values.flat[position]),
            var_numerator=kept_plan.mean_variance(cuboid),
            var_denominator=wide_plan.mean_variance(cuboid),
        )
        return Ratio(
            _clip_share(ratio.value),
            _clip_share(ratio.low),
            _clip_share(ratio.high),
        )

    return share


def _clip_share(share: float | None) -> float | None:
    return None if share is None else min(max(share, 0.0), 1.0)
