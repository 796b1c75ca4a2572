"""What an adversary who knows everything but the canary computes from published cells.

Noise of residual B is Gaussian with variance s_B, projected; so the most powerful test, by Neyman and Pearson, adds up
<R_B(canary), r_B> / s_B over residuals. They are recovered from the published cuboids, with the published variances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from datasets.build.budget import Budget
from datasets.build.noisy import NoisyCells
from datasets.definition import Cuboid, SumMeasure
from datasets.privacy.axis import Floats

Residuals = dict[tuple[str, Cuboid], Floats]


def published_residuals(budget: Budget, cells: NoisyCells) -> Residuals:
    """Every residual of every measure in published units, from the smallest published cuboid that holds it."""
    found: Residuals = {}
    for name, plan in budget.measures.items():
        tables = {cuboid: table.values for cuboid, table in cells.measures[name].items()}
        declared = budget.dataset.measure(name)
        if isinstance(declared, SumMeasure):
            counts = cells.measures[declared.counted_by]
            tables = {c: t - declared.middle * counts[c].values for c, t in tables.items()}
        for b in plan.rho_of:
            source = min(
                (a for a in tables if all(x <= y for x, y in zip(b, a, strict=True))),
                key=lambda a: tables[a].size,
            )
            table = tables[source]
            for at, axis in enumerate(plan.axes):
                # a published cell holds its parents' residuals shared out evenly, so adding up restores them
                table = axis.centre(axis.add_up(table, at, source[at], b[at]), at, b[at])
            found[name, b] = table
    return found


@dataclass(frozen=True)
class Attack:
    """The scores of one pair: `without` and `with_`, shape (builds, residuals), in standard deviations of the noise;
    `weights`, what each residual's score should move by when the canary comes."""

    without: Floats
    with_: Floats
    weights: Floats


def directions(budget: Budget, without: Residuals, with_: Residuals) -> Mapping[tuple[str, Cuboid], Floats]:
    """How far the canary moves each residual, in standard deviations, from noiseless tables of both inputs."""
    scale = {(n, b): sqrt(s) for n, plan in budget.measures.items() for b, s in plan.variances.items()}
    moved = {key: (with_[key] - without[key]) / scale[key] for key in with_}
    return {key: d for key, d in moved.items() if float(np.linalg.norm(d)) > 1e-9}


def scores(budget: Budget, moved: Mapping[tuple[str, Cuboid], Floats], residuals: Residuals) -> Floats:
    """Each residual's noise along the canary's direction, in standard deviations; shape (residuals,)."""
    return np.array(
        [
            float((d * residuals[n, b]).sum())
            / float(np.linalg.norm(d))
            / sqrt(budget.measures[n].variances[b])
            for (n, b), d in moved.items()
        ]
    )
