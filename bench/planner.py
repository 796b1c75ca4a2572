"""The time that a plan takes and the error it promises, for schemas whose errors are published (RP, tables 2 and 3)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from math import sqrt

from bench.figures import BenchmarkLine
from datasets.catalogue import DATASETS
from datasets.definition import Cuboid
from datasets.period import Month
from datasets.pipeline.planning.budget import plan_budget
from datasets.privacy.axis import Axis
from datasets.privacy.plan import Plan, cell_count, plan

PUBLISHED = {
    "CPS (50, 100, 7, 4, 2)": ((50, 100, 7, 4, 2), 2.276),
    "ten attributes of 10": ((10,) * 10, 9.348),
    "twenty attributes of 10": ((10,) * 20, 26.917),
}


def figures() -> Iterator[BenchmarkLine]:
    for name, (sizes, published) in PUBLISHED.items():
        axes = tuple(Axis(f"a{i}", ((n,),)) for i, n in enumerate(sizes))
        workload = cuboids_up_to_three(len(sizes))
        start = time.perf_counter()
        made = plan(axes, workload, rho=Fraction(1, 2), weights=dict.fromkeys(workload, 1.0))
        seconds = time.perf_counter() - start
        error = _root_mean_square(made)
        yield BenchmarkLine(
            f"{name}: {len(workload)} cuboids", f"{seconds:.3f} s, RMSE {error:.3f}", f"RMSE {published} (RP's code)",
            error / published, "1.00",
        )  # fmt: skip
    for dataset in DATASETS:
        start = time.perf_counter()
        budget = plan_budget(dataset, Month(2026, 6))
        yield BenchmarkLine(
            f"{dataset.name}: {len(budget.cuboids)} cuboids", f"{time.perf_counter() - start:.3f} s"
        )


def cuboids_up_to_three(dimensions: int) -> list[Cuboid]:
    """All cuboids of at most three of the given number of flat dimensions."""
    return [
        tuple(int(at in chosen) for at in range(dimensions))
        for size in range(4)
        for chosen in combinations(range(dimensions), size)
    ]


def _root_mean_square(made: Plan) -> float:
    sizes = {cuboid: cell_count(made.axes, cuboid) for cuboid in made.workload}
    return sqrt(sum(made.mean_variance(c) * n for c, n in sizes.items()) / sum(sizes.values()))
