"""Zero-concentrated differential privacy: the cost rho, and what it means as (epsilon, delta) and as power of a test.

Bun and Steinke (2016) for zCDP; CKS20, proposition 12, for the conversion to (epsilon, delta); docs/privacy/guarantee.md.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, exp, inf, log, log1p, sqrt
from statistics import NormalDist

NANO = 1_000_000_000


def rho_spent(precision: Fraction, rows_per_unit: int) -> Fraction:
    """The zCDP cost of residuals whose summed precision (p_B / s_B, in 1/variance) is `precision`.

    A unit with m rows changes a residual by at most m · sqrt(p_B) in L2, so rho = m² · precision / 2:
    Bun and Steinke (2016), proposition 1.6; docs/privacy/planning.md#what-a-plan-costs.

    >>> rho_spent(Fraction(1, 50), rows_per_unit=4)
    Fraction(4, 25)
    """
    return Fraction(rows_per_unit**2) * precision / 2


def nano_rho(rho: Fraction) -> int:
    """A spend in whole billionths of rho, rounded up: the unit of the ledger.

    >>> nano_rho(Fraction(1, 3))
    333333334
    """
    return -((-rho * NANO) // 1)


def epsilon(rho: Fraction | float, delta: float) -> float:
    """The smallest epsilon for which rho-zCDP implies (epsilon, delta)-differential privacy.

    CKS20, proposition 12: the minimum over a > 1 of rho·a + log(1/(a·delta))/(a-1) + log(1-1/a). The bound holds
    for every a, so a minimiser that stops early errs on the safe side. Raises ValueError outside rho > 0, 0 < delta < 1.

    >>> round(epsilon(0.25, 1e-9), 2)
    4.44
    """
    rho = float(rho)
    if not (0 < rho < inf and 0 < delta < 1):
        raise ValueError(
            f"epsilon is defined for rho > 0 and 0 < delta < 1, not rho = {rho}, delta = {delta}"
        )

    def bound(exponent: float) -> float:
        above = exp(exponent)  # a - 1
        return rho * (1 + above) - (log1p(above) + log(delta)) / above + log(above) - log1p(above)

    return max(0.0, bound(_minimiser(bound, -20.0, 40.0)))


def epsilon_rounded_up(rho: Fraction | float, delta: float) -> float:
    """Epsilon as it is printed: two decimals, or one from 10 on, rounded up, so that what is said holds.

    Raises ValueError outside rho > 0, 0 < delta < 1; docs/privacy/guarantee.md#what-rho-means.

    >>> epsilon_rounded_up(0.25, 1e-9), epsilon_rounded_up(3, 1e-9)
    (4.44, 18.0)
    """
    exact = epsilon(rho, delta)
    grains = 100 if exact < 10 else 10
    return ceil(exact * grains) / grains


def _minimiser(bound: Callable[[float], float], low: float, high: float) -> float:
    """Golden-section search for the minimum of a function with one valley."""
    ratio = (sqrt(5) - 1) / 2
    for _ in range(200):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if bound(left) < bound(right) else (left, high)
    return (low + high) / 2


def power_of_best_test(rho: Fraction | float, level: float = 0.05) -> float:
    """The probability that the best test at `level` detects one given unit: Phi(Phi⁻¹(level) + sqrt(2 rho)).

    >>> round(power_of_best_test(0.25), 3)
    0.174
    """
    normal = NormalDist()
    return normal.cdf(normal.inv_cdf(level) + sqrt(2 * float(rho)))
