"""Estimates from noisy numbers: counts, differences, ratios and medians, each with its standard error and interval.

Each formula takes K quantities of many cells at once: values (K, cells), their covariances (K, K, cells), and z, the normal
quantile of the confidence. NaN stands for a number that is lost in the noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from datasets.privacy.median import medians
from datasets.privacy.ratio import CLEAR, Floats, ratios


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number for each cell: its value, standard error and interval."""

    value: Floats
    error: Floats
    low: Floats
    high: Floats


class Formula(Protocol):
    """How a number is computed from K quantities."""

    def estimate(self, values: Floats, covariance: Floats, z: float) -> Estimate: ...


@dataclass(frozen=True, slots=True)
class Linear:
    """A weighted sum: the first quantity alone, or a difference.

    >>> Linear((1.0, -1.0)).estimate(np.array([[5.0], [3.0]]), np.array([[[4.0], [1.0]], [[1.0], [4.0]]]), 2.0).error
    array([2.44948974])
    """

    weights: tuple[float, ...] = (1.0,)

    def estimate(self, values: Floats, covariance: Floats, z: float) -> Estimate:
        if self.weights == (1.0,):
            value, square = values[0], covariance[0, 0]
        else:
            weights = np.array(self.weights)
            value = np.tensordot(weights, values, 1)
            square = np.einsum("a,abc,b->c", weights, covariance, weights)
        return _normal(value, np.sqrt(np.maximum(square, 0.0)), z)


@dataclass(frozen=True, slots=True)
class Quotient:
    """The first quantity divided by the second, with Fieller's interval."""

    def estimate(self, values: Floats, covariance: Floats, z: float) -> Estimate:
        return Estimate(
            *ratios(values[0], values[1], covariance[0, 0], covariance[1, 1], covariance[0, 1], z)
        )


@dataclass(frozen=True, slots=True)
class QuotientDifference:
    """The first divided by the second, minus the third divided by the fourth; the error by the delta method."""

    def estimate(self, values: Floats, covariance: Floats, z: float) -> Estimate:
        a, b, c, d = values
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = np.stack([1 / b, -a / b**2, -1 / d, c / d**2])
            value = a / b - c / d
            square = np.einsum("ac,abc,bc->c", slopes, covariance, slopes)
        is_clear = (b > CLEAR * np.sqrt(covariance[1, 1])) & (d > CLEAR * np.sqrt(covariance[3, 3]))
        estimate = _normal(value, np.sqrt(np.maximum(square, 0.0)), z)
        return Estimate(
            *(
                np.where(is_clear, each, np.nan)
                for each in (estimate.value, estimate.error, estimate.low, estimate.high)
            )
        )


@dataclass(frozen=True, slots=True)
class BandMedian:
    """The median of a distribution; quantity k counts what lies between edges k and k+1."""

    edges: tuple[float, ...]

    def estimate(self, values: Floats, covariance: Floats, z: float) -> Estimate:
        return Estimate(*medians(self.edges, values, covariance, z))


def _normal(value: Floats, error: Floats, z: float) -> Estimate:
    return Estimate(value, error, value - z * error, value + z * error)


def concatenate(estimates: Sequence[Estimate]) -> Estimate:
    """The cells of several estimates, one after the other."""
    if len(estimates) == 1:
        return estimates[0]
    return Estimate(*(np.concatenate([getattr(e, part) for e in estimates]) for part in Estimate.__slots__))
