"""The difference of two numbers with independent noise, computed from their intervals only."""

from __future__ import annotations

import numpy as np

from datasets.privacy.estimate import Estimate


def independent_difference(one: Estimate, other: Estimate) -> Estimate:
    """The first minus the second, cell by cell; both have intervals of the same confidence.

    The interval is that of Zou and Donner (2008, Statistics in Medicine 27, 1693), which recovers the variances that each
    end needs from the two intervals: for counts it is value ± z standard errors, for shares and medians it is as asymmetric
    as their own intervals. NaN if either has no number.

    >>> a, b = (Estimate(*(np.array([x]) for x in four)) for four in ((10.0, 3.0, 4.0, 16.0), (6.0, 4.0, -2.0, 14.0)))
    >>> round(float(independent_difference(a, b).low[0]), 6)
    -6.0
    """
    value = one.value - other.value
    low = value - np.hypot(one.value - one.low, other.high - other.value)
    high = value + np.hypot(one.high - one.value, other.value - other.low)
    return Estimate(value, np.hypot(one.error, other.error), low, high)
