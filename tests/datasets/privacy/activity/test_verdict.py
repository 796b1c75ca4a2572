"""The status of a measure says when the bias of its bound may exceed the noise, and never that it does not without an interval."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from datasets.privacy.activity.bands import activity_bands
from datasets.privacy.activity.measuring import count_activity
from datasets.privacy.activity.shares import NoisyActivity, kept_on_top, kept_share
from datasets.privacy.activity.verdict import (
    advise_bound,
    bias_may_exceed_noise,
    bias_status,
    count_at_which_bias_may_exceed_noise,
    lost_rows,
    lost_share,
)
from datasets.privacy.ratio import Ratio
from tests.datasets.privacy.activity.populations import build, known, pareto, plan_of, rows_under, seeded

NOTHING = Ratio(None, None, None)
NOISE = 1_000.0
"""Near the standard error of a total at m_S = 20 (docs/privacy/numbers.md#the-declared-plans)."""


def test_twenty_two_million_rows_and_at_most_twenty_a_person_is_bias():
    """Of a cell of 1 % of the rows, 35 % are lost: 74,000 rows, against a noise of 1,000."""
    truth = pareto(22e6, 200)
    status = bias_status(build(plan_of(5, 20), truth, seeded(1)), NOISE)
    assert status.verdict == "bias"
    assert status.lost.value == pytest.approx(1 - rows_under(truth, 20) / rows_under(truth, 200), abs=0.001)
    assert known(status.bias)[1] > 74_000


def light():
    """A million persons with one to eight rows, of whom none is above the bound."""
    return np.arange(1, 9), np.array([400, 250, 150, 80, 50, 30, 25, 15]) * 1_000


def test_a_population_within_the_bound_is_fine():
    for seed in range(50):
        status = bias_status(build(plan_of(5, 20), light(), seeded(seed)), NOISE)
        assert status.verdict == "fine"
        assert known(status.lost)[0] < 0.05
        assert known(status.bias)[2] <= NOISE


def test_a_tiny_population_is_unknown_and_never_fine():
    """100 persons with 250 rows, none of whom is above the bound: K(most) has a standard error of 3,642 rows."""
    tiny = (np.arange(1, 5), np.array([40, 25, 15, 20]))
    status = bias_status(build(plan_of(5, 20), tiny), NOISE)
    assert (status.verdict, status.lost, status.cell, status.bias) == ("unknown", NOTHING, None, NOTHING)
    verdicts = {bias_status(build(plan_of(5, 20), tiny, seeded(n)), NOISE).verdict for n in range(100)}
    assert verdicts == {"unknown"}


def test_between_the_two_the_verdict_is_unknown():
    """The interval of the bias has the noise inside."""
    status = bias_status(build(plan_of(5, 20), pareto(22e6, 200)), 1.0)
    middle = bias_status(build(plan_of(5, 20), pareto(22e6, 200)), known(status.bias)[0])
    _, low, high = known(middle.bias)
    assert low < middle.noise < high
    assert middle.verdict == "unknown"


@pytest.mark.parametrize(("excess", "wrong"), [(1.0001, "fine"), (0.9999, "bias")])
def test_a_verdict_is_wrong_in_at_most_one_of_forty_builds(excess, wrong):
    """Of 2,000 builds with a bias just beyond the noise or within it; the limit is six standard deviations away."""
    plan, truth = plan_of(5, 20), pareto(1e6, 200)
    bias = 0.01 * (rows_under(truth, 200) - rows_under(truth, 20))
    batch = build(plan, truth, seeded(5), 2_000)
    verdicts = [bias_status(replace(batch, values=values), bias / excess).verdict for values in batch.values]
    assert verdicts.count(wrong) <= 0.025 * 2_000 + 6 * 7


def test_the_bias_of_another_reference_cell_is_as_much_smaller():
    activity = build(plan_of(5, 20), pareto(22e6, 200))
    one, tenth = bias_status(activity, NOISE), bias_status(activity, NOISE, reference=0.001)
    assert known(one.bias) == pytest.approx([10 * each for each in known(tenth.bias)])
    assert (one.cell or 0.0) > 200_000
    assert one.lost == tenth.lost


@pytest.mark.parametrize(("noise", "reference"), [(0.0, 0.01), (inf, 0.01), (1.0, 0.0), (1.0, 1.1)])
def test_a_status_without_noise_or_cell_is_refused(noise, reference):
    with pytest.raises(ValueError, match=f"noise={noise}, reference={reference}"):
        bias_status(build(plan_of(5, 20), pareto(1e6, 200)), noise, reference)


def test_lambda_is_what_is_not_kept():
    activity = build(plan_of(5, 20), pareto(1e6, 200))
    value, low, high = known(kept_share(activity, 20))
    assert known(lost_share(activity)) == (1 - value, 1 - high, 1 - low)


def test_the_lower_end_of_the_kept_share_gives_the_upper_end_of_the_loss():
    """300 counted rows: if a half was kept, 300 were lost, if three quarters, 100."""
    assert lost_rows(300.0, 0.5) == 300
    assert lost_rows(300.0, 0.75) == pytest.approx(100)
    kept = Ratio(0.6, 0.5, 0.75)
    assert bias_may_exceed_noise([300.0, 300.0], [299.0, 301.0], kept).tolist() == [True, False]


def test_an_answer_is_flagged_from_the_count_that_its_cuboid_names():
    kept = Ratio(0.8, 0.78, 0.82)
    errors = np.array([50.0, 400.0, 1_500.0])
    counts = count_at_which_bias_may_exceed_noise(errors, kept)
    assert bias_may_exceed_noise(counts * 1.001, errors, kept).all()
    assert not bias_may_exceed_noise(counts * 0.999, errors, kept).any()


def test_without_an_interval_a_tenth_may_have_been_kept():
    """Only ten times m_S rows of a person are seen, so no smaller share can be kept."""
    assert count_at_which_bias_may_exceed_noise(900.0, NOTHING) == pytest.approx(100)
    assert bias_may_exceed_noise([101.0, 99.0], [900.0, 900.0], NOTHING).tolist() == [True, False]
    assert count_at_which_bias_may_exceed_noise(900.0, Ratio(0.1, 0.02, 0.3)) == pytest.approx(100)


def test_where_nothing_is_lost_nothing_is_flagged():
    kept = Ratio(1.0, 1.0, 1.0)
    assert count_at_which_bias_may_exceed_noise([1.0, 5.0], kept).tolist() == [inf, inf]
    assert not bias_may_exceed_noise([1e12], [1.0], kept).any()


def test_a_negative_count_is_no_bias():
    assert not bias_may_exceed_noise([-500.0], [1.0], Ratio(0.5, 0.4, 0.6)).any()


def heavy_persons(seed: int, codes: int, persons: int):
    """Rows of persons by code: each has a mix of codes of their own, around one that drifts with how active they are."""
    draw = np.random.default_rng(seed)
    rows = np.minimum(np.rint(15 / np.sqrt(draw.random(persons))).astype(np.int64), 10_000)
    base = draw.dirichlet(np.full(codes, 3.0))
    tilt = draw.normal(0, 0.05, codes)
    mix = base * np.exp(np.log(rows / 30)[:, None] * tilt)
    own = draw.gamma(20 * mix / mix.sum(axis=1, keepdims=True))
    return rows, draw.multinomial(rows, own / own.sum(axis=1, keepdims=True)), draw


@pytest.mark.parametrize("strata", [(5, 20, 100), (10, 50), (5, 20)], ids=str)
def test_the_predicted_loss_of_a_code_is_near_its_true_loss(strata):
    """The loss x_S(a)·(1/kappa_S - 1) of 20 codes, from what is published: the counts of the top stratum and kappa_S.

    Rows are kept at random within a person. Each person has a mix of their own, which drifts with how active they are; the
    prediction knows neither, nor the rows beyond the most.
    """
    rows, by_code, draw = heavy_persons(11, codes=20, persons=20_000)
    bands = activity_bands(strata)
    inside = rows > strata[-2]
    kept = np.zeros(20)
    for own in by_code[inside]:
        kept += draw.multivariate_hypergeometric(own, min(bands.bound, int(own.sum())))
    plan = plan_of(*strata, rho=plan_of(5).rho)
    numbers, persons = np.unique(rows, return_counts=True)
    activity = build(plan, (numbers, persons))
    kappa, _, _ = known(kept_on_top(activity))
    true = by_code[inside].sum(axis=0) - kept
    ratio = lost_rows(kept, kappa) / true
    error = np.abs(lost_rows(kept, kappa) - true) / by_code.sum(axis=0)
    assert ratio.min() > 0.7
    assert ratio.max() < 1.15
    assert 0.9 < np.median(ratio) < 1.0
    assert error.max() < 0.09


def test_a_script_with_all_rows_in_one_cell_is_not_seen_in_it():
    """The limit of the method: 10,000 rows of one person in a cell, of which 100 are kept."""
    numbers, persons = pareto(6e6, 1000)
    activity = build(plan_of(5, 20, 100), (np.append(numbers, 10_000), np.append(persons, 1)))
    assert lost_rows(100.0, known(kept_on_top(activity))[0]) < 20


def test_the_advised_bound_has_the_least_square_of_bias_and_noise():
    """Of a cell of 220,000 rows with an error of 50 per row a person, as by hand over all ends of bands."""
    truth = pareto(22e6, 10_000)
    plan = plan_of(10, 50, 250, 1000)
    square = {}
    for end in plan.bands.ends:
        lost = 0.01 * (rows_under(truth, 10_000) - rows_under(truth, end))
        square[end] = lost**2 + (50.0 * end) ** 2
    best = min(square, key=lambda end: square[end])
    assert advise_bound(build(plan, truth), error_of_one=50.0) == best == 250
    quiet, loud = (advise_bound(build(plan, truth), error_of_one=error) for error in (0.5, 5_000.0))
    assert loud is not None and quiet is not None and loud < best < quiet
    assert {advise_bound(build(plan, truth, seeded(n)), error_of_one=50.0) for n in range(30)} <= {
        100,
        250,
        500,
    }


def test_there_is_no_advice_from_rows_that_are_lost_in_noise():
    assert advise_bound(build(plan_of(5, 20, 100), pareto(20_000, 1000)), error_of_one=50.0) is None


def test_the_verdict_reads_published_numbers_only():
    """The same table and variances, made anew from what a release states, give the same status."""
    made = build(plan_of(5, 20), pareto(22e6, 200), seeded(3))
    stated = NoisyActivity(activity_bands(made.bands.strata), made.values.copy(), made.variances.copy())
    assert bias_status(stated, NOISE) == bias_status(made, NOISE)
    assert count_activity(made.bands, *pareto(22e6, 200)).counts.tolist() != made.values.tolist()
