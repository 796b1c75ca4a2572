"""Shapes: the public marginals that synthetic events follow, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Weights = Mapping[str, float]
"""Relative frequency of codes; a code that is not named has weight 0."""


@dataclass(frozen=True)
class ConditionalWeights:
    """Weights that depend on a level drawn before: `of` its codes, `otherwise` where a code is not named."""

    level: str
    of: Mapping[str, Weights]
    otherwise: Weights


@dataclass(frozen=True)
class EventShape:
    """How synthetic events of one dataset look.

    `rows` gives each level its weights, drawn row by row in this order; a level of `units` is drawn once per privacy unit
    and stays with it. Levels in neither get even weights. `flags` are probabilities; `amounts` are
    (median, spread) of log-normal whole numbers. `tail` is how heavy the tail of rows per unit is: of U units the
    busiest share s has s^(1/tail) of all rows. `rows_per_unit` is their mean.
    """

    rows: Mapping[str, Weights | ConditionalWeights] = field(default_factory=dict)
    units: Mapping[str, Weights] = field(default_factory=dict)
    flags: Mapping[str, float] = field(default_factory=dict)
    amounts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    organisations: float = 0.0
    rows_per_unit: float = 8.0
    tail: float = 2.0
