"""The test statistic of an adversary who knows all rows except the canary's, computed from what is published.

The noise of residual B is Gaussian with variance s_B, projected. So the most powerful test (Neyman and Pearson) sums
<R_B(canary), r_B> / s_B over residuals. The attack reads published cuboids and stated variances only. Instead of the kept
shares it reads the loosely bounded counts that they are computed from, which reveal more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from datasets.definition import Cuboid, SumMeasure
from datasets.pipeline.measurement.noise import NoisyCells, Tables
from datasets.pipeline.planning.budget import Budget
from datasets.privacy.axis import Floats
from datasets.privacy.plan import Plan, cell_count, residuals_of


@dataclass(frozen=True)
class PublishedPlans:
    """The plans of a release by the name of what they measure: the measures, and the diagnostics of bounding."""

    budget: Budget

    @cached_property
    def plans(self) -> dict[str, Plan]:
        wide = {f"{name}, loosely bounded": plan for name, plan in self.budget.diagnostics.items()}
        return {**self.budget.measures, **wide}

    def tables(self, built: NoisyCells) -> dict[str, Tables]:
        """The published cuboids by the names of `plans`."""
        return dict(zip(self.plans, (*built.measures.values(), *built.wide.values()), strict=True))

    @cached_property
    def sources(self) -> dict[tuple[str, Cuboid], Cuboid]:
        """For each residual the smallest published cuboid that contains it."""
        found: dict[tuple[str, Cuboid], Cuboid] = {}
        for name, plan in self.plans.items():
            for source in sorted(plan.workload, key=lambda a: cell_count(plan.axes, a)):
                for residual in residuals_of(source):
                    found.setdefault((name, residual), source)
        return found

    def counts(self, tables: dict[str, Tables], name: str, cuboid: Cuboid) -> Floats:
        """A published table; of a sum, what was measured, which is the sum minus its middle for each counted row."""
        declared = next((m for m in self.budget.dataset.measures if m.name == name), None)
        table = tables[name][cuboid].values
        if isinstance(declared, SumMeasure):
            return table - declared.middle * tables[declared.counted_by][cuboid].values
        return table


@dataclass(frozen=True)
class Probe:
    """How the attack reads one residual: as the inner product of the published `cuboid` with `weights`, in standard
    deviations of the noise. `shift` is the change by the canary, in the same unit."""

    name: str
    cuboid: Cuboid
    weights: Floats
    shift: float


@dataclass(frozen=True)
class Probes:
    """The attack on one canary: a probe for each residual that its rows change."""

    published: PublishedPlans
    probes: tuple[Probe, ...]

    @classmethod
    def between(cls, published: PublishedPlans, without: NoisyCells, with_: NoisyCells) -> Probes:
        """Probes for the difference of two releases without noise, one with the canary and one without."""
        off, on = published.tables(without), published.tables(with_)
        found = []
        for (name, b), source in published.sources.items():
            plan = published.plans[name]
            moved = published.counts(on, name, source) - published.counts(off, name, source)
            weights, shift = _probe_weights(plan, b, source, moved)
            if shift > 1e-9:
                found.append(Probe(name, source, weights, shift))
        return cls(published, tuple(found))

    @property
    def shifts(self) -> Floats:
        return np.array([probe.shift for probe in self.probes])

    def scores(self, built: NoisyCells) -> Floats:
        """The reading of each probe, in standard deviations of the stated noise; shape (probes,)."""
        tables = self.published.tables(built)
        read = [
            np.vdot(probe.weights, self.published.counts(tables, probe.name, probe.cuboid))
            for probe in self.probes
        ]
        return np.array(read)


def _probe_weights(plan: Plan, residual: Cuboid, source: Cuboid, moved: Floats) -> tuple[Floats, float]:
    """The weights with which to read the change of a residual from a published cuboid, and the change by the canary.

    A published cell contains an even share of its parents' residuals, so adding up cells restores them, and the inner product
    of d with the sums equals that of the repeated d with the cells. d is centred, so other residuals of the cuboid cancel.
    """
    for at, axis in enumerate(plan.axes):
        moved = axis.centre(axis.add_up(moved, at, source[at], residual[at]), at, residual[at])
    length, deviation = float(np.linalg.norm(moved)), sqrt(plan.variances[residual])
    if length == 0:
        return moved, 0.0
    weights = moved / (length * deviation)
    for at, axis in enumerate(plan.axes):
        for level in range(residual[at], source[at]):
            weights = axis.repeat(weights, at, level)
    return weights, length / deviation
