"""From bounded rows to noisy cells. Exact tables exist only here; only noisy ones leave this module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from datasets.definition import Cuboid, SumMeasure
from datasets.pipeline.engine.bounding import Contributions
from datasets.pipeline.engine.counting import Counter
from datasets.pipeline.planning.budget import Budget
from datasets.privacy.axis import axes_of
from datasets.privacy.plan import Plan
from datasets.privacy.residuals import Noise, NoisyTable, measure, reconstruct

Tables = dict[Cuboid, NoisyTable]


@dataclass(frozen=True)
class NoisyCells:
    """All numbers that leave a build: the published cuboids of each measure, and the diagnostics of bounding."""

    measures: dict[str, Tables]
    wide: dict[str, Tables]


def measure_rows(budget: Budget, rows: Iterable[Contributions], noise: Noise) -> NoisyCells:
    """Count bounded rows exactly, add noise to every residual, and reconstruct the published cuboids."""
    counter = empty_counter(budget)
    for batch in rows:
        count_batch(counter, batch)
    return add_noise(budget, counter, noise)


def empty_counter(budget: Budget) -> Counter:
    """An empty counter for everything that a budget measures."""
    return Counter(axes_of(budget.dataset, budget.month), _measured_cuboids(budget))


def count_batch(counter: Counter, batch: Contributions) -> None:
    """Count a batch of bounded rows, for every measure and every diagnostic."""
    counter.add_batch(
        batch.codes, {**batch.weights, **{_diagnostic_name(name): w for name, w in batch.wide.items()}}
    )


def add_noise(budget: Budget, counter: Counter, noise: Noise) -> NoisyCells:
    """Add noise to every residual of the counts, and reconstruct the published cuboids from them."""
    measures = {
        name: _measure_with_noise(plan, counter, name, noise) for name, plan in budget.measures.items()
    }
    wide = {
        name: _measure_with_noise(plan, counter, _diagnostic_name(name), noise)
        for name, plan in budget.diagnostics.items()
    }
    return NoisyCells({name: restore_middle(budget, measures, name) for name in measures}, wide)


def _measure_with_noise(plan: Plan, counter: Counter, name: str, noise: Noise) -> Tables:
    residuals = measure(plan, counter.tables(name), noise)
    return {cuboid: reconstruct(plan, residuals, cuboid) for cuboid in plan.workload}


def restore_middle(budget: Budget, tables: Mapping[str, Tables], name: str) -> Tables:
    """Add middle times the count to a sum, which was measured as the sum of (value - middle)."""
    declared = budget.dataset.measure(name)
    if not isinstance(declared, SumMeasure):
        return tables[name]
    counts = tables[declared.counted_by]
    return {
        cuboid: NoisyTable(table.values + declared.middle * counts[cuboid].values)
        for cuboid, table in tables[name].items()
    }


def _diagnostic_name(name: str) -> str:
    return f"wide {name}"


def _measured_cuboids(budget: Budget) -> dict[str, Iterable[Cuboid]]:
    wide = {_diagnostic_name(name): plan.rho_of for name, plan in budget.diagnostics.items()}
    return {**{name: plan.rho_of for name, plan in budget.measures.items()}, **wide}
