"""An activity table costs each person at most rho, however many rows they have."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from datasets.pipeline.measurement.randomness import discrete_gaussian_noise
from datasets.privacy.activity.bands import activity_bands
from datasets.privacy.activity.measuring import ActivityPlan, count_activity, measure_activity
from datasets.privacy.residuals import ExactTable, TooManyRows
from tests.datasets.privacy.activity.populations import plan_of, seeded, silence

STRATA = [(1,), (5, 20), (5, 20, 100), (2, 5, 20), (3, 5, 10), (10, 50, 250), (7, 33)]


@pytest.mark.parametrize("strata", STRATA, ids=str)
@pytest.mark.parametrize("rho", [Fraction(1, 500), Fraction(1, 1000), Fraction(1, 3)], ids=str)
def test_every_possible_person_costs_at_most_rho_and_the_worst_almost_that(strata, rho):
    """Every number of rows is tried. What counts are the integers that noise is added to, and the scales of that noise."""
    plan = plan_of(*strata, rho=rho)
    scales: list[np.ndarray] = []
    nobody = ExactTable(np.zeros((2, len(plan.bands.ends)), dtype=np.int64))

    def listen(asked):
        scales.append(asked.copy())
        return silence(asked)

    measure_activity(plan, nobody, listen)
    squares = [2 * Fraction(float(scale)) ** 2 for scale in scales[0]]
    moves = [
        count_activity(plan.bands, [rows]).counts[plan.scales > 0]
        for rows in (*range(1, plan.bands.most + 1), plan.bands.most + 1, 10**9)
    ]
    losses = [
        sum((Fraction(int(by)) ** 2 / square for by, square in zip(moved, squares, strict=True) if by), Fraction(0))
        for moved in moves
    ]  # fmt: skip
    assert max(losses) <= rho
    assert max(losses) > rho * (1 - Fraction(1, 10**12))
    assert losses[:-2] == [plan.loss(rows) for rows in range(1, plan.bands.most + 1)]


def test_a_person_is_in_one_band_and_moves_nothing_else():
    plan = plan_of(5, 20)
    for rows in range(1, 300):
        persons, offsets = count_activity(plan.bands, [rows]).counts
        (band,) = np.flatnonzero(persons)
        assert persons[band] == 1
        assert set(np.flatnonzero(offsets)) <= {band}
        assert abs(offsets[band]) <= plan.bands.twice_half[band]


def test_a_band_of_one_number_has_persons_and_no_offsets():
    plan = plan_of(5, 20)
    assert plan.bands.ends[:2] == (1, 2)
    assert (plan.scales[1] == 0).tolist() == [True, True, *[False] * 6]


def test_what_has_no_noise_is_not_published():
    """Also if an exact table has a number there."""
    plan = plan_of(5, 20)
    wrong = ExactTable(np.full((2, len(plan.bands.ends)), 7, dtype=np.int64))
    assert measure_activity(plan, wrong, silence).values[1, :2].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("noise", [discrete_gaussian_noise, seeded(4)], ids=["of releases", "seeded"])
def test_noise_is_as_wide_as_stated_and_independent(noise):
    """The variances of 20,000 draws err by 1 % (one standard deviation), correlations by 0.7 %."""
    plan = plan_of(5, 20)
    exact = ExactTable(np.zeros((20_000, 2, len(plan.bands.ends)), dtype=np.int64))
    drawn = measure_activity(plan, exact, noise).values[:, plan.scales > 0]
    assert drawn.var(axis=0) / plan.variances[plan.scales > 0] == pytest.approx(1, abs=0.07)
    correlations = np.corrcoef(drawn.T) - np.eye(drawn.shape[1])
    assert np.abs(correlations).max() < 0.05


def test_rows_of_persons_and_their_histogram_give_the_same_table():
    rows = np.random.default_rng(3).geometric(0.05, 500)
    bands = activity_bands([5, 20])
    numbers, persons = np.unique(rows, return_counts=True)
    one, other = count_activity(bands, rows).counts, count_activity(bands, numbers, persons).counts
    assert one.tolist() == other.tolist()
    assert one[0].sum() == 500
    assert (bands.twice_mid * one[0] + one[1]).sum() == 2 * np.minimum(rows, bands.most).sum()


def test_a_person_without_rows_is_not_counted():
    assert not count_activity(activity_bands([5]), [0, 0]).counts.any()


def test_rows_beyond_the_most_are_not_seen():
    bands = activity_bands([5, 20])
    assert count_activity(bands, [10**6]).counts.tolist() == count_activity(bands, [200]).counts.tolist()


def test_the_ends_of_bands_are_round_and_the_bounds_are_among_them():
    assert activity_bands([10, 50, 250, 1000]).ends == (
        1,
        2,
        5,
        10,
        20,
        50,
        100,
        250,
        500,
        1000,
        2500,
        5000,
        10_000,
    )
    assert activity_bands([3, 7]).ends == (1, 2, 3, 5, 7, 10, 20, 50, 70)
    assert activity_bands([5, 20]).stratum.tolist() == [0, 0, 0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("strata", [(), (0,), (5, 5), (20, 5), (2.5,)], ids=str)
def test_bounds_that_do_not_rise_are_refused(strata):
    with pytest.raises(ValueError, match=r"strata=.*each above the one before"):
        activity_bands(strata)


def test_numbers_that_are_no_counts_are_refused():
    bands = activity_bands([5])
    with pytest.raises(ValueError, match="rows: they are whole numbers from 0"):
        count_activity(bands, [-1])
    with pytest.raises(ValueError, match="persons: they are whole numbers from 0"):
        count_activity(bands, [1], [1.5])
    with pytest.raises(TooManyRows, match="do not fit exact 64-bit arithmetic"):
        count_activity(bands, [1], [1 << 60])


def test_a_plan_that_cannot_be_is_refused():
    for rho, part in [(Fraction(0), Fraction(1, 4)), (Fraction(1), Fraction(0)), (Fraction(1), Fraction(1))]:
        with pytest.raises(ValueError, match="rho is above 0, the part between 0 and 1"):
            ActivityPlan(activity_bands([5]), rho, part)
    with pytest.raises(ValueError, match="give more rho"):
        plan_of(10**9, rho=Fraction(1, 10**6))


def test_a_table_of_other_bands_is_refused():
    with pytest.raises(ValueError, match=r"exact: its shape \(2, 3\) does not end in"):
        measure_activity(plan_of(5), ExactTable(np.zeros((2, 3), dtype=np.int64)), silence)
