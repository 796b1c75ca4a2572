"""From exact counts to noisy cells: what a budget needs counted, and the noise. Only noisy tables leave this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datasets.definition import Cuboid, SumMeasure
from datasets.pipeline.engine.bounding import diagnostic_name
from datasets.pipeline.engine.counting import covering_tables, roll_up
from datasets.pipeline.engine.job import CountJob, Counts
from datasets.pipeline.planning.budget import Budget
from datasets.privacy.axis import axes_of
from datasets.privacy.plan import Plan
from datasets.privacy.residuals import Integers, Noise, NoisyTable, measure, reconstruct

Tables = dict[Cuboid, NoisyTable]


@dataclass(frozen=True)
class NoisyCells:
    """All numbers that leave a build: the published cuboids of each measure, and the diagnostics of bounding."""

    measures: dict[str, Tables]
    wide: dict[str, Tables]


def count_job(budget: Budget) -> CountJob:
    """What an engine must count for everything that a budget measures."""
    wanted = {
        **{name: plan.rho_of for name, plan in budget.measures.items()},
        **{diagnostic_name(name): plan.rho_of for name, plan in budget.diagnostics.items()},
    }
    axes = axes_of(budget.dataset, budget.month)
    return CountJob(budget.dataset, budget.month, covering_tables(axes, wanted))


def add_noise(budget: Budget, counts: Counts, noise: Noise) -> NoisyCells:
    """Add noise to every residual of the counts of `count_job`, and reconstruct the published cuboids from them."""
    measures = {
        name: _measure_with_noise(plan, counts[name], noise) for name, plan in budget.measures.items()
    }
    wide = {
        name: _measure_with_noise(plan, counts[diagnostic_name(name)], noise)
        for name, plan in budget.diagnostics.items()
    }
    return NoisyCells({name: restore_middle(budget, measures, name) for name in measures}, wide)


def _measure_with_noise(plan: Plan, counts: Mapping[Cuboid, Integers], noise: Noise) -> Tables:
    residuals = measure(plan, roll_up(plan.axes, counts, plan.rho_of), noise)
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
