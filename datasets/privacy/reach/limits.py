"""Limits for what no sum can answer: the different persons in several cells of X, or in several months.

A person with rows in two cells is in both numbers, so the numbers do not add up. But whoever is in one part is in the whole,
and the whole has at most as many persons as its parts together, and as all persons (docs/privacy/reach.md#what-is-refused).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NoisyNumber:
    """Numbers of persons and their standard errors; the same shape each."""

    value: Floats
    error: Floats


@dataclass(frozen=True)
class ReachLimits:
    """Between these ends the number of different persons lies with at least this confidence; shape (cells,)."""

    low: Floats
    high: Floats
    confidence: float


def limits_of_union(
    parts: NoisyNumber, persons: NoisyNumber, *, together: NoisyNumber | None, confidence: float
) -> ReachLimits:
    """Limits of the number of different persons in the union of K parts (docs/privacy/reach.md#what-is-refused).

    Shapes: `parts` (K, cells); `persons`, all persons who could be in the union, and `together`, the sum of the parts,
    (cells,). `together` is None if a person may weigh less than one (`Family.is_capped`), since then the sum may be too low.
    Each side gets half of what the confidence leaves, split evenly over the numbers that it uses (Bonferroni), so the limits
    hold together whatever their covariances. Raises ValueError if there is no part or the confidence is not between 0 and 1.

    >>> parts = NoisyNumber(np.array([[50.0], [30.0]]), np.zeros((2, 1)))
    >>> whole, everybody = (NoisyNumber(np.array([n]), np.zeros(1)) for n in (80.0, 100.0))
    >>> limits_of_union(parts, everybody, together=whole, confidence=0.95)
    ReachLimits(low=array([50.]), high=array([80.]), confidence=0.95)
    """
    if not len(parts.value):
        raise ValueError("parts is empty; a union has at least one part")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it lies between 0 and 1")
    above = [persons] if together is None else [persons, together]
    from_parts = parts.value - _joint_quantile(confidence, len(parts.value)) * parts.error
    low = np.maximum(from_parts.max(axis=0), 0.0)
    ends = [number.value + _joint_quantile(confidence, len(above)) * number.error for number in above]
    return ReachLimits(low, np.maximum(np.min(ends, axis=0), low), confidence)


def _joint_quantile(confidence: float, numbers: int) -> float:
    """The normal quantile that so many one-sided ends keep together, with half of the error that is allowed."""
    return NormalDist().inv_cdf(1 - (1 - confidence) / (2 * numbers))
