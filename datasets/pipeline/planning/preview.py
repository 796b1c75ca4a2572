"""The standard errors that a release will promise, for every published cuboid, before any data is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

from datasets.pipeline.planning.budget import Budget
from datasets.pipeline.planning.standard_errors import standard_errors
from datasets.privacy.plan import cell_count


@dataclass(frozen=True, slots=True)
class PromisedAccuracy:
    """The accuracy of one cuboid of one measure: its number of cells and their standard errors, in published units."""

    cuboid: str
    dimensions: int
    measure: str
    cells: int
    root_mean_square: float
    least: float
    largest: float


def promised_accuracies(budget: Budget) -> Iterator[PromisedAccuracy]:
    """One promise for each measure of each published cuboid, those of few dimensions first."""
    for cuboid in budget.cuboids:
        for name, plan in budget.measures.items():
            if cuboid in plan.workload:
                errors = standard_errors(budget, name, cuboid)
                yield PromisedAccuracy(
                    budget.dataset.cuboid_name(cuboid),
                    sum(map(bool, cuboid)),
                    name,
                    cell_count(plan.axes, cuboid),
                    sqrt(float((errors**2).mean())),
                    float(errors.min()),
                    float(errors.max()),
                )
