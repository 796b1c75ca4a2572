"""What a person weighs in a family, what is subtracted, and how far one person moves it: against an independent computation."""

from __future__ import annotations

from fractions import Fraction
from math import floor, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.privacy.reach.family import GRAINS, Family, weight
from tests.datasets.privacy.schemas import often


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, int]:
    cells = draw(st.integers(2, 400))
    return cells, draw(st.integers(1, cells))


def family(cells: int, cap: int) -> Family:
    return Family("x", cells, cap, ((),))


def worst_move(cells: int, cap: int) -> Fraction:
    """The largest squared length of a person's vector of (weight - b), in persons: written out cell by cell, in fractions."""
    centre = min(Fraction(cap, cells), Fraction(1, 2))
    worst = Fraction(0)
    for codes in range(cells + 1):
        full = min(1.0, sqrt(cap / codes)) if codes else 0.0
        grains = Fraction(floor(1000 * full + 1e-9), 1000)
        vector = [grains - centre] * codes + [-centre] * (cells - codes)
        worst = max(worst, sum((move**2 for move in vector), Fraction(0)))
    return worst


@pytest.mark.parametrize(
    ("cells", "cap", "price"),
    [
        (2, 1, "0.500"), (6, 3, "1.500"), (16, 5, "3.4375"), (17, 5, "3.529"), (31, 8, "5.935"), (31, 31, "7.750"),
        (168, 20, "17.619"), (868, 31, "29.893"),
    ],
)  # fmt: skip
def test_the_price_of_a_family_is_the_printed_one(cells, cap, price):
    assert f"{float(family(cells, cap).price):.{len(price.split('.')[1])}f}" == price


def test_a_person_in_eight_cells_under_a_cap_of_five_weighs_790_grains_in_each():
    assert weight(8, cap=5) == 790
    assert [weight(k, cap=5) for k in (1, 5, 6, 10, 20)] == [1000, 1000, 912, 707, 500]


@given(shapes())
@often
def test_the_price_is_that_of_the_worst_person(shape):
    made = family(*shape)
    assert made.price == worst_move(*shape)
    assert made.sensitivity**2 >= made.squared_sensitivity > (made.sensitivity - 1) ** 2


@given(shapes())
@often
def test_the_price_is_that_of_the_formula(shape):
    """c - c²/n, and n/4 from c = n/2 on: exactly, although weights are rounded down to grains."""
    cells, cap = shape
    assert family(*shape).price == (cap - Fraction(cap**2, cells) if 2 * cap < cells else Fraction(cells, 4))


@given(shapes())
@often
def test_no_other_centre_has_a_lower_price_for_whole_weights(shape):
    """b is the best one: a person in c cells (or in no cell) moves more with any other b."""
    cells, cap = shape
    made = family(cells, cap)

    def worst(centre):
        inside, outside = (1 - centre) * (1 - centre), centre * centre
        return max(k * inside + (cells - k) * outside for k in (0, cap))

    for other in (made.centre - Fraction(1, 97 * cells), made.centre + Fraction(1, 97 * cells)):
        assert worst(other) > worst(made.centre) == made.price


@given(shapes(), st.integers(1, 5000))
@often
def test_the_squares_of_a_persons_weights_add_up_to_at_most_the_cap(shape, codes):
    assert codes * weight(codes, shape[1]) ** 2 <= shape[1] * GRAINS**2


@given(shapes())
@often
def test_weights_are_listed_by_the_number_of_cells(shape):
    made = family(*shape)
    expected = [0, *(weight(k, made.cap) for k in range(1, made.cells + 1))]
    assert made.weights.tolist() == expected
    assert np.all(np.diff(made.weights[1:]) <= 0)


def test_from_half_of_the_cells_on_a_larger_cap_costs_nothing():
    assert {family(10, cap).price for cap in range(5, 11)} == {Fraction(10, 4)}
    assert family(10, 4).price < Fraction(10, 4)


def test_only_a_cap_of_all_cells_gives_every_person_a_whole_weight():
    assert [family(10, cap).is_capped for cap in (5, 9, 10)] == [True, True, False]
    assert set(family(10, 10).weights[1:].tolist()) == {1000}


def test_centring_halves_the_error_of_a_family_without_a_cap():
    """Not centred, a person in all n cells would move n; centred n/4."""
    assert family(27, 27).price == Fraction(27, 4)


@pytest.mark.parametrize(
    ("cells", "cap", "workload", "sentence"),
    [
        (1, 1, ((),), "family 'x': cells is 1; a family has at least 2 cells"),
        (5, 0, ((),), "family 'x': cap is 0; it is a number from 1 to 5"),
        (5, 6, ((),), "family 'x': cap is 6; it is a number from 1 to 5"),
        (5, 5, ((1, 0),), "family 'x': its workload lacks the total, a cuboid of zeros"),
        (5, 5, (), "lacks the total"),
    ],
)
def test_an_impossible_family_is_refused(cells, cap, workload, sentence):
    with pytest.raises(ValueError, match=sentence):
        Family("x", cells, cap, workload)
