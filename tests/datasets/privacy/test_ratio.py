"""Ratios of noisy numbers."""

import numpy as np
import pytest

from datasets.privacy.ratio import Ratio, fieller


def test_a_denominator_within_its_own_error_gives_no_value():
    nothing = Ratio(None, None, None)
    assert fieller(5, 9.99, var_numerator=1, var_denominator=100) == nothing
    assert fieller(5, -1000, var_numerator=1, var_denominator=100) == nothing
    assert fieller(0, 0, var_numerator=0, var_denominator=0) == nothing


def test_a_denominator_within_three_errors_gives_a_value_without_interval():
    assert fieller(5, 20, var_numerator=1, var_denominator=100) == Ratio(0.25, None, None)
    assert fieller(5, 29.9, var_numerator=1, var_denominator=100).low is None
    assert fieller(5, 30, var_numerator=1, var_denominator=100).low is not None


def test_there_is_no_interval_if_the_denominator_may_be_zero():
    assert fieller(5, 35, var_numerator=1, var_denominator=100, z=4) == Ratio(5 / 35, None, None)


def test_a_share_with_correlated_noise_has_a_smaller_error():
    alone = fieller(500, 1000, var_numerator=100, var_denominator=100)
    part = fieller(500, 1000, var_numerator=100, var_denominator=100, covariance=90)
    assert part.low is not None and part.high is not None
    assert alone.low is not None and alone.high is not None
    assert part.high - part.low < alone.high - alone.low


def test_a_known_denominator_leaves_the_numerators_own_interval():
    ratio = fieller(50, 100, var_numerator=4, var_denominator=0, z=2)
    assert (ratio.low, ratio.high) == pytest.approx((0.46, 0.54))


@pytest.mark.parametrize(("numerator", "denominator"), [(300, 1000), (40, 100), (-20, 60), (0, 70)])
def test_95_percent_of_intervals_hold_the_true_ratio(numerator, denominator):
    """Also if the denominator is only five or six errors from 0."""
    generator = np.random.Generator(np.random.PCG64(5))
    moments = np.array([[100.0, 60.0], [60.0, 120.0]])
    found = generator.multivariate_normal([numerator, denominator], moments, size=20_000)
    ratios = [fieller(n, d, var_numerator=100, var_denominator=120, covariance=60) for n, d in found]
    with_interval = [ratio for ratio in ratios if ratio.low is not None]
    coverage = np.mean([ratio.low <= numerator / denominator <= ratio.high for ratio in with_interval])
    assert len(with_interval) > 0.98 * len(found)
    assert coverage == pytest.approx(0.95, abs=0.007)
