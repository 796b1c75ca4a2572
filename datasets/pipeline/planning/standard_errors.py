"""The standard error of every cell of a release; the plans determine it before any event is read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from datasets.definition import Cuboid, SumMeasure
from datasets.pipeline.planning.budget import Budget
from datasets.privacy.axis import Floats
from datasets.privacy.variance import Factor, variance


def standard_errors(budget: Budget, name: str, cuboid: Cuboid) -> Floats:
    """The exact standard error of each cell of a cuboid; a sum's includes its middle times the count's."""
    plan, measure = budget.measures[name], budget.dataset.measure(name)
    factors: list[Factor] = [
        (level, np.eye(axis.size(level))) if level else None
        for axis, level in zip(plan.axes, cuboid, strict=True)
    ]
    square = variance(plan.axes, plan.variances, factors)
    if isinstance(measure, SumMeasure):
        counted: Mapping[Cuboid, float] = budget.measures[measure.counted_by].variances
        square = square + measure.middle**2 * variance(plan.axes, counted, factors)
    return np.sqrt(square)
