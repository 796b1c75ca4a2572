"""Error per cell, compared with independent noise on every cuboid at the same rho, measured with real draws.

Noise is added to tables of zeros, so the result is the error itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np

from bench.figures import BenchmarkLine
from datasets.catalogue import DATASETS
from datasets.period import Month
from datasets.pipeline.measurement.randomness import discrete_gaussian_noise
from datasets.pipeline.planning.budget import plan_budget
from datasets.privacy.plan import Plan, cell_count
from datasets.privacy.residuals import ExactTable, measure, reconstruct


def figures() -> Iterator[BenchmarkLine]:
    for dataset in DATASETS:
        for name, plan in plan_budget(dataset, Month(2026, 6)).measures.items():
            ours, promised, peer = _ours(plan), _promised(plan), _independent(plan)
            yield BenchmarkLine(
                f"{dataset.name}.{name}: {len(plan.workload)} cuboids, rho {float(plan.rho):g}",
                f"RMSE {ours:.2f} (promised {promised:.2f})",
                f"RMSE {peer:.2f} (independent noise)",
                peer / ours,
                "at least 1.3",
            )


def _ours(plan: Plan) -> float:
    zeros = {b: ExactTable(np.zeros(_shape(plan, b), dtype=np.int64)) for b in plan.rho_of}
    residuals = measure(plan, zeros, discrete_gaussian_noise)
    errors = (reconstruct(plan, residuals, cuboid).values for cuboid in plan.workload)
    return _root_mean_square(errors)


def _independent(plan: Plan) -> float:
    """The error of independent noise. Each cuboid gets the same share of rho; a unit changes each by the sensitivity."""
    scale = plan.sensitivity * sqrt(len(plan.workload) / (2 * float(plan.rho)))
    draws = (discrete_gaussian_noise(np.full(cell_count(plan.axes, c), scale)) for c in plan.workload)
    return _root_mean_square(draw / plan.grain for draw in draws)


def _promised(plan: Plan) -> float:
    sizes = {cuboid: cell_count(plan.axes, cuboid) for cuboid in plan.workload}
    return sqrt(sum(plan.mean_variance(c) * n for c, n in sizes.items()) / sum(sizes.values()))


def _root_mean_square(tables: Iterator[np.ndarray]) -> float:
    squares, number = 0.0, 0
    for table in tables:
        squares, number = squares + float(np.square(table).sum()), number + table.size
    return sqrt(squares / number)


def _shape(plan: Plan, cuboid: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(axis.size(level) for axis, level in zip(plan.axes, cuboid, strict=True))
