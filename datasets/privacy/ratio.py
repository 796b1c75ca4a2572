"""Ratios of noisy numbers, and their confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Ratio:
    """An estimate and its interval; both ends are None where the denominator is lost in its own noise."""

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
    """A ratio of two normal estimates with Fieller's interval (Fieller 1954; PRIVACY.md, section 6).

    No value where the denominator is within one standard error of 0 or below it, no interval where it is within
    three: there Fieller's set is the whole line or nearly so.

    >>> fieller(50.0, 100.0, var_numerator=0.0, var_denominator=0.0)
    Ratio(value=0.5, low=0.5, high=0.5)
    """
    error = sqrt(var_denominator)
    if denominator <= error:
        return Ratio(None, None, None)
    value = numerator / denominator
    a = denominator**2 - z * z * var_denominator
    if denominator < 3 * error or a <= 0:
        return Ratio(value, None, None)
    b = numerator * denominator - z * z * covariance
    c = numerator**2 - z * z * var_numerator
    root = sqrt(max(b * b - a * c, 0.0))
    return Ratio(value, (b - root) / a, (b + root) / a)
