"""Shapes of synthetic events: the marginal distributions that they follow, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Weights = Mapping[str, float]
"""Relative frequency of codes; a code that is not listed has weight 0."""


@dataclass(frozen=True)
class ConditionalWeights:
    """Weights that depend on the code of a level drawn before: `of` by code, `otherwise` for codes not listed."""

    level: str
    of: Mapping[str, Weights]
    otherwise: Weights


@dataclass(frozen=True)
class EventShape:
    """The distribution of the synthetic events of one dataset.

    `rows` has the weights of levels that are drawn row by row, in this order; a level in `units` is drawn once per
    privacy unit. Levels in neither get equal weights. `flags` are probabilities; `amounts` are (median, spread) of
    log-normal whole numbers. `tail` says how heavy the tail of rows per unit is: the busiest share s of the units has
    s^(1/tail) of all rows. `rows_per_unit` is the mean.
    """

    rows: Mapping[str, Weights | ConditionalWeights] = field(default_factory=dict)
    units: Mapping[str, Weights] = field(default_factory=dict)
    flags: Mapping[str, float] = field(default_factory=dict)
    amounts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    organisations: float = 0.0
    rows_per_unit: float = 8.0
    tail: float = 2.0
