"""Ratios of noisy numbers, and their confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

CLEAR = 3.0
"""An interval is given if the denominator is at least this many standard errors above 0 (docs/privacy/variance.md#ratios)."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """An estimate and its interval; both ends are None if the denominator is lost in its own noise."""

    value: float | None
    low: float | None
    high: float | None


def fieller(
    numerator: float,
    denominator: float,
    *,
    var_numerator: float,
    var_denominator: float,
    covariance: float = 0.0,
    z: float = 1.959963984540054,
) -> Ratio:
    """One ratio of two normal estimates; see `ratios`.

    >>> fieller(50.0, 100.0, var_numerator=0.0, var_denominator=0.0)
    Ratio(value=0.5, low=0.5, high=0.5)
    """
    value, _, low, high = ratios(numerator, denominator, var_numerator, var_denominator, covariance, z)
    return Ratio(*(None if np.isnan(each) else float(each) for each in (value, low, high)))


def ratios(
    numerator: ArrayLike,
    denominator: ArrayLike,
    var_numerator: ArrayLike,
    var_denominator: ArrayLike,
    covariance: ArrayLike,
    z: float,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Ratios of normal estimates: value, standard error by the delta method, and the ends of Fieller's interval.

    All arguments have one shape, or broadcast to it. Fieller (1954); docs/privacy/variance.md#ratios. NaN stands for no value
    if the denominator is within one standard error of 0 or below it, and for no error and no interval if it is within three:
    Fieller's set is then the whole line or nearly so.
    """
    arrays = (numerator, denominator, var_numerator, var_denominator, covariance)
    n, d, vn, vd, c = (np.asarray(each, dtype=np.float64) for each in np.broadcast_arrays(*arrays))
    error = np.sqrt(vd)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(d > error, n / d, np.nan)
        a = d**2 - z * z * vd
        is_clear = (d > error) & (d >= CLEAR * error) & (a > 0)
        spread = np.sqrt(np.maximum(vn - 2 * value * c + value**2 * vd, 0.0)) / d
        b = n * d - z * z * c
        root = np.sqrt(np.maximum(b * b - a * (n**2 - z * z * vn), 0.0))
        ends = ((b - root) / a, (b + root) / a)
    return value, *(np.where(is_clear, each, np.nan) for each in (spread, *ends))  # type: ignore[return-value]  # four arrays, as the generator has four
