"""Limits of what no sum answers: they contain the truth at least as often as they say."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.privacy.reach.limits import NoisyNumber, ReachLimits, limits_of_union
from tests.datasets.privacy.schemas import often


def number(*values: float, error: float = 0.0) -> NoisyNumber:
    return NoisyNumber(np.array(values), np.full(len(values), error))


def parts_of(*values: float, error: float = 0.0) -> NoisyNumber:
    return NoisyNumber(np.array(values)[:, None], np.full((len(values), 1), error))


@given(st.lists(st.sets(st.integers(0, 30)), min_size=1, max_size=6))
@often
def test_without_noise_any_union_lies_between_its_limits(parts):
    everybody, whole = 31, len(set().union(*parts))
    sizes = [float(len(part)) for part in parts]
    found = limits_of_union(parts_of(*sizes), number(everybody), together=number(sum(sizes)), confidence=0.9)
    assert found.low[0] <= whole <= found.high[0]
    assert (found.low[0], found.high[0]) == (max(sizes), min(sum(sizes), everybody))


@given(st.lists(st.sets(st.integers(0, 30)), min_size=1, max_size=6))
@often
def test_without_noise_a_union_of_parts_in_which_persons_weigh_less_lies_between_its_limits(parts):
    """With a cap, a number is below the reach: the sum of the parts is then no upper end."""
    everybody, whole = 31, len(set().union(*parts))
    lowered = [0.5 * len(part) for part in parts]
    found = limits_of_union(parts_of(*lowered), number(everybody), together=None, confidence=0.9)
    assert found.low[0] <= whole <= found.high[0] == everybody


def test_the_ends_are_as_far_out_as_the_number_of_their_parts_requires():
    """Five parts, 95 %: each lower end may fail in 0.5 % of cases, each of two upper ends in 1.25 %."""
    found = limits_of_union(
        parts_of(900, 800, 100, 100, 50, error=10),
        number(5000, error=10),
        together=number(1950, error=20),
        confidence=0.95,
    )
    quantile = NormalDist().inv_cdf
    assert found.low[0] == pytest.approx(900 - quantile(0.995) * 10)
    assert found.high[0] == pytest.approx(1950 + quantile(0.9875) * 20)
    assert found.confidence == 0.95


def test_no_lower_end_is_below_zero_and_none_is_above_its_upper_end():
    found = limits_of_union(
        parts_of(-50, -20, error=10), number(-100, error=5), together=None, confidence=0.95
    )
    assert (found.low[0], found.high[0]) == (0, 0)


def test_many_cells_are_answered_at_once():
    parts = NoisyNumber(np.array([[5.0, 1.0], [2.0, 9.0]]), np.zeros((2, 2)))
    found = limits_of_union(parts, number(10, 10), together=number(7, 10), confidence=0.95)
    assert (found.low.tolist(), found.high.tolist()) == ([5, 9], [7, 10])


TRIES = 20_000


def coverage(found: ReachLimits, truth: float) -> float:
    return float(((found.low <= truth) & (truth <= found.high)).mean())


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("overlap", ["none", "all"])
def test_the_limits_cover_at_least_as_often_as_they_say(overlap, confidence):
    """The hardest cases: the union is exactly one end. Twelve equal parts without overlap, and twelve times the same persons.
    Of 20,000 tries, coverage is low by six of its standard errors once in 10⁹."""
    noise, size, number_of_parts, error = np.random.default_rng(4), 1000.0, 12, 40.0
    draws = noise.normal(0, error, (number_of_parts, TRIES))
    whole = size * number_of_parts if overlap == "none" else size
    found = limits_of_union(
        NoisyNumber(size + draws, np.full(draws.shape, error)),
        NoisyNumber(whole + noise.normal(0, error, TRIES), np.full(TRIES, error)),
        together=NoisyNumber(
            size * number_of_parts + draws.sum(axis=0), np.full(TRIES, error * sqrt(number_of_parts))
        ),
        confidence=confidence,
    )
    assert coverage(found, whole) >= confidence - 6 * sqrt(confidence * (1 - confidence) / TRIES)


def test_the_usual_quantile_would_cover_too_rarely():
    """What the lower end would be with 1.96 for each of 12 equal parts: above the truth in a quarter of all cases."""
    noise, error = np.random.default_rng(4), 40.0
    highest = (1000 + noise.normal(0, error, (12, TRIES)) - 1.96 * error).max(axis=0)
    assert float((highest <= 1000).mean()) < 0.80


@pytest.mark.parametrize(
    ("parts", "confidence", "sentence"),
    [
        (
            NoisyNumber(np.zeros((0, 1)), np.zeros((0, 1))),
            0.95,
            "parts is empty; a union has at least one part",
        ),
        (parts_of(1.0), 1.0, "confidence is 1.0; it lies between 0 and 1"),
        (parts_of(1.0), 0.0, "confidence is 0.0; it lies between 0 and 1"),
    ],
)
def test_limits_of_nothing_or_without_doubt_are_refused(parts, confidence, sentence):
    with pytest.raises(ValueError, match=sentence):
        limits_of_union(parts, number(1.0), together=None, confidence=confidence)
