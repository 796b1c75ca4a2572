"""The meaning of rho: epsilon, power of the best test, and spends in the ledger."""

from fractions import Fraction
from math import exp, inf, log, nan, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.privacy.zcdp import NANO, epsilon, epsilon_rounded_up, nano_rho, power_of_best_test, rho_spent
from tests.datasets.privacy.schemas import often


@pytest.mark.parametrize(
    ("rho", "at_a_millionth", "at_a_billionth", "mu", "power"),
    [
        ("0.05", 1.48, 1.89, "0.32", "9.2"),
        ("0.1", 2.15, 2.72, "0.45", "11.6"),
        ("0.22", 3.31, 4.15, "0.66", "16.3"),
        ("0.25", 3.55, 4.44, "0.71", "17.4"),
        ("0.3", 3.93, 4.90, "0.77", "19.2"),
        ("0.5", 5.23, 6.48, "1.00", "26.0"),
        ("2.64", 13.9, 16.7, "2.30", "74.3"),
        ("3", 15.0, 18.0, "2.45", "78.9"),
    ],
)
def test_the_table_of_epsilons_and_powers_is_as_printed(rho, at_a_millionth, at_a_billionth, mu, power):
    """docs/privacy/guarantee.md#what-rho-means, to the printed digit; epsilons are rounded up."""
    rho = Fraction(rho)
    assert epsilon_rounded_up(rho, 1e-6) == at_a_millionth
    assert epsilon_rounded_up(rho, 1e-9) == at_a_billionth
    assert f"{sqrt(2 * rho):.2f}" == mu
    assert f"{100 * power_of_best_test(rho):.1f}" == power


@pytest.mark.parametrize(
    ("rho", "to_the_nearest"), [("0.22", "4.14"), ("0.3", "4.90"), ("2.64", "16.64"), ("3", "17.95")]
)
def test_an_epsilon_to_the_nearest_digit_can_be_too_small_and_is_not_what_is_said(rho, to_the_nearest):
    exact = epsilon(Fraction(rho), 1e-9)
    assert f"{exact:.2f}" == to_the_nearest
    assert epsilon_rounded_up(Fraction(rho), 1e-9) >= exact


@given(st.floats(1e-6, 100), st.floats(1e-15, 0.5))
@often
def test_an_epsilon_that_is_said_is_never_below_the_exact_one(rho, delta):
    exact, said = epsilon(rho, delta), epsilon_rounded_up(rho, delta)
    assert exact <= said <= exact + (0.0101 if exact < 10 else 0.101)


@given(st.floats(1e-6, 100), st.floats(1e-15, 0.5))
@often
def test_no_exponent_on_a_fine_grid_gives_a_smaller_epsilon(rho, delta):
    exponents = (1 + exp(step / 20) for step in range(-300, 500))
    on_a_grid = min(rho * a + log(1 / (a * delta)) / (a - 1) + log(1 - 1 / a) for a in exponents)
    assert epsilon(rho, delta) <= max(0.0, on_a_grid) + 1e-9
    assert epsilon(rho, delta) >= max(0.0, on_a_grid) - 0.01 * abs(on_a_grid) - 1e-3


@given(st.floats(1e-6, 50), st.floats(1e-12, 0.1))
@often
def test_epsilon_stays_below_the_older_conversion(rho, delta):
    """Bun and Steinke (2016), proposition 1.3: rho + 2 sqrt(rho log(1/delta)) suffices; CKS20 is never worse."""
    assert epsilon(rho, delta) <= rho + 2 * sqrt(rho * log(1 / delta)) + 1e-9


@given(st.floats(1e-6, 10), st.floats(1.01, 3), st.floats(1e-12, 0.01))
@often
def test_epsilon_grows_with_rho_and_with_certainty(rho, factor, delta):
    assert epsilon(rho * factor, delta) >= epsilon(rho, delta)
    assert epsilon(rho, delta / factor) >= epsilon(rho, delta)


@pytest.mark.parametrize(
    ("rho", "delta"), [(0, 1e-9), (-1, 1e-9), (inf, 1e-9), (nan, 1e-9), (1, 0), (1, 1), (1, -1), (1, nan)]
)
def test_epsilon_is_refused_if_it_is_not_defined(rho, delta):
    with pytest.raises(ValueError, match="epsilon is defined for"):
        epsilon(rho, delta)


def test_with_nothing_spent_the_power_is_the_level_of_the_test():
    assert power_of_best_test(0, level=0.05) == pytest.approx(0.05)


def test_the_power_is_that_of_distinguishing_two_normals():
    shift, normal = sqrt(2 * 0.3), NormalDist()
    threshold = normal.inv_cdf(0.95)
    assert power_of_best_test(0.3) == pytest.approx(1 - normal.cdf(threshold - shift), rel=1e-12)


@given(st.fractions(min_value=0, max_value=10))
def test_a_spend_in_the_ledger_is_the_least_whole_number_that_covers_it(rho):
    assert nano_rho(rho) - 1 < rho * NANO <= nano_rho(rho)


def test_rows_cost_their_square():
    assert rho_spent(Fraction(1, 100), rows_per_unit=20) == 400 * rho_spent(Fraction(1, 100), rows_per_unit=1)
