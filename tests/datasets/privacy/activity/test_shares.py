"""Kept shares, persons and rows that an activity table tells, and how sure it is of them.

Intervals are tried on 40,000 builds with the sampler of releases and a seed. Were the words random, the share of intervals that hold
the truth would have a standard deviation of 0.0011; the limits are more than six of them away.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from datasets.privacy.activity.shares import (
    counted_rows,
    kept_on_top,
    kept_share,
    kept_shares,
    most_active,
    persons_per_stratum,
    share_of_seen,
)
from datasets.privacy.ratio import Ratio
from tests.datasets.privacy.activity.populations import build, known, pareto, plan_of, rows_under, seeded

NOTHING = Ratio(None, None, None)
SETTINGS = [
    ((5, 20, 100), 200e3, 20),
    ((5, 20, 100), 1e6, 20),
    ((5, 20, 100), 1e6, 100),
    ((5, 20), 200e3, 20),
    ((10, 50, 250), 6.6e6, 250),
    ((10, 50, 250, 1000), 500e6, 1000),
]
BUILDS = 40_000


def half_width(plan, population, m) -> float:
    _, low, high = known(kept_share(build(plan, population), m))
    return 100 * (high - low) / 2


@pytest.mark.parametrize(("strata", "rows", "m"), SETTINGS, ids=str)
def test_95_percent_of_intervals_hold_the_kept_share(strata, rows, m):
    plan, truth = plan_of(*strata), pareto(rows, 10 * strata[-1])
    shares = kept_shares(build(plan, truth, seeded(7), BUILDS))
    at = plan.bands.ends.index(m)
    kept = rows_under(truth, m) / rows_under(truth, plan.bands.most)
    covered = np.mean((shares.low[:, at] <= kept) & (kept <= shares.high[:, at]))
    assert not np.isnan(shares.low).any()
    assert 0.94 <= covered <= 0.96
    assert shares.value[:, at].mean() == pytest.approx(kept, abs=shares.error[:, at].mean() / 8)


@pytest.mark.extended
@pytest.mark.parametrize("strata", [(5, 20), (5, 20, 100), (10, 50, 250), (10, 50, 250, 1000)], ids=str)
@pytest.mark.parametrize("rows", [2e5, 1e6, 6.6e6, 22e6, 100e6, 500e6])
@pytest.mark.parametrize("alpha", [1.5, 2.0])
def test_95_percent_of_intervals_hold_every_kept_share_in_48_settings(strata, rows, alpha):
    """2,000 builds a setting, ten times: of one of them 0.94 and 0.96 are only two standard deviations away."""
    plan, truth = plan_of(*strata), pareto(rows, 10 * strata[-1], alpha)
    whole = rows_under(truth, plan.bands.most)
    exact = np.array([rows_under(truth, end) / whole for end in plan.bands.ends])
    is_clear = whole >= 6 * sqrt(
        build(plan, truth).sums(counted_rows(plan.bands, plan.bands.most)[None])[1][0, 0]
    )
    held = []
    for seed in range(20):
        shares = kept_shares(build(plan, truth, seeded(seed), 2_000))
        held.append((shares.low <= exact + 1e-9) & (exact - 1e-9 <= shares.high) | np.isnan(shares.low))
    covered = np.concatenate(held).mean(axis=0)
    inside = (exact > 1.05 * np.array(plan.bands.ends) / plan.bands.most) & (exact < 1 - 1e-9)
    assert (covered >= 0.94).all()
    assert not is_clear or (covered[inside] <= 0.96).all()


@pytest.mark.parametrize(
    ("strata", "rows", "m", "printed"),
    [
        ((5, 20, 100), 1e6, 20, "2.2"),
        ((5, 20, 100), 200e3, 20, "11"),
        ((10, 50, 250), 6.6e6, 250, "1.1"),
        ((10, 50, 250, 1000), 500e6, 1000, "0.06"),
    ],
    ids=str,
)
def test_the_half_width_of_a_kept_share_is_as_printed(strata, rows, m, printed):
    found = half_width(plan_of(*strata), pareto(rows, 10 * strata[-1]), m)
    digits = len(printed.partition(".")[2])
    assert f"{found:.{digits}f}" == printed


def test_the_number_of_persons_of_one_band_has_an_error_of_18_persons():
    assert f"{plan_of(5, 20).scales[0, 0]:.1f}" == "18.3"


@pytest.mark.parametrize(("strata", "rows", "m"), SETTINGS, ids=str)
def test_a_quarter_for_the_offsets_is_the_best_split_to_within_two_percent(strata, rows, m):
    truth = pareto(rows, 10 * strata[-1])
    widths = {part: half_width(plan_of(*strata, offsets_part=part), truth, m) for part in _parts()}
    chosen = half_width(plan_of(*strata), truth, m)
    assert min(widths, key=lambda part: widths[part]) in [part for part in widths if 0.2 < part < 0.4]
    assert chosen <= 1.025 * min(widths.values())
    assert chosen < 0.9 * widths[min(widths)]


def _parts():
    return [plan_of(5).offsets_part * n / 5 for n in range(2, 16)]  # 0.1 to 0.75


@pytest.mark.parametrize("rows", [300, 20_000])
def test_there_is_no_share_if_the_rows_are_lost_in_noise(rows):
    """With (5, 20, 100), the standard error of K(most) is 18,209 rows."""
    activity = build(plan_of(5, 20, 100), pareto(rows, 1000))
    assert kept_share(activity, 20) == kept_share(activity, 30) == kept_on_top(activity) == NOTHING
    assert share_of_seen(activity, 100.0, 1.0) == NOTHING
    assert most_active(activity) is None
    assert np.isnan(kept_shares(activity).value).all()


def test_no_share_has_a_value_without_an_interval():
    """Not even if the denominator is between one and three standard errors above 0, where a ratio has a value."""
    plan = plan_of(5, 20, 100)
    shares = kept_shares(build(plan, pareto(54_000, 1000), seeded(2), 4_000))
    lost = np.isnan(shares.low[:, 0])
    assert 0.3 < lost.mean() < 0.7
    for part in (shares.value, shares.error, shares.low, shares.high):
        assert (np.isnan(part) == lost[:, None]).all()


def test_without_noise_the_table_gives_the_exact_rows_at_every_end():
    plan, truth = plan_of(5, 20), pareto(3e5, 200, 1.5)
    activity = build(plan, truth)
    for end in plan.bands.ends:
        assert activity.sums(counted_rows(plan.bands, end)[None])[0][0] == rows_under(truth, end)


@pytest.mark.parametrize("alpha", [1.3, 2.0, 4.0])
def test_between_the_ends_the_share_lies_within_its_limits(alpha):
    """Also of a population in which every band is as uneven as it can be; without noise in the table."""
    plan = replace(plan_of(5, 20), rho=plan_of(5).rho * 10**6)
    numbers, persons = pareto(3e6, 200, alpha)
    uneven = np.where(np.isin(numbers, [3, 6, 11, 50, 51, 101, 200]), 1000, 0)
    for truth in [(numbers, persons), (numbers, uneven), (numbers, persons + 50)]:
        activity = build(plan, truth)
        whole = rows_under(truth, 200)
        for m in range(1, 201):
            share = kept_share(activity, m)
            assert share.low is not None
            assert share.high is not None
            assert share.low <= rows_under(truth, m) / whole <= share.high
            assert (share.value is None) == (m not in plan.bands.ends)


@pytest.mark.parametrize("m", [3, 4, 7, 15, 30, 75, 150])
def test_the_limits_between_the_ends_hold_for_95_percent_of_builds(m):
    """2,000 builds; a share of 0.95 has a standard deviation of 0.005."""
    plan, truth = plan_of(5, 20), pareto(3e5, 200)
    kept = rows_under(truth, m) / rows_under(truth, 200)
    batch = build(plan, truth, seeded(m), 2_000)
    shares = [kept_share(replace(batch, values=values), m) for values in batch.values]
    held = [s.low is not None and s.high is not None and s.low <= kept <= s.high for s in shares]
    assert np.mean(held) > 0.925


def test_a_bound_that_was_not_seen_is_refused():
    activity = build(plan_of(5, 20), pareto(1e6, 200))
    for m in (0, 201):
        with pytest.raises(ValueError, match=f"m={m}: it is from 1 to 200"):
            kept_share(activity, m)


def test_the_kept_share_of_the_top_stratum_is_that_of_its_persons_and_no_others():
    truth = pareto(2e6, 200)
    numbers, persons = truth
    heavy = numbers > 5
    exact = (np.minimum(numbers, 20) * persons)[heavy].sum() / (numbers * persons)[heavy].sum()
    assert kept_on_top(build(plan_of(5, 20), truth)).value == pytest.approx(exact)
    light = (numbers, persons + 10**6 * (numbers <= 5))
    assert kept_on_top(build(plan_of(5, 20), light)).value == pytest.approx(exact)


def test_95_percent_of_intervals_hold_the_kept_share_of_the_top_stratum():
    """2,000 builds; the limits are more than five standard deviations away."""
    plan, truth = plan_of(20, 100), pareto(1e6, 1000)
    exact, _, _ = known(kept_on_top(build(plan, truth)))
    batch = build(plan, truth, seeded(9), 2_000)
    found = [known(kept_on_top(replace(batch, values=values))) for values in batch.values]
    assert 0.925 < np.mean([low <= exact <= high for _, low, high in found]) < 0.975


def test_persons_per_stratum_are_counted_with_their_errors():
    plan, truth = plan_of(20, 100), pareto(1e6, 1000)
    persons = persons_per_stratum(build(plan, truth))
    numbers, many = truth
    assert persons.value.tolist() == [many[numbers <= 20].sum(), many[numbers > 20].sum()]
    bands = np.bincount(plan.bands.stratum)
    assert persons.error == pytest.approx(plan.scales[0, 0] * np.sqrt(bands))
    assert persons.value[0] - persons.low[0] == pytest.approx(1.959964 * persons.error[0])


def test_a_measure_of_flagged_events_is_compared_with_all_its_rows_that_were_seen():
    """900,000 of a million rows were counted, with an error of 3,000 rows: as by hand, both errors relative to their numbers."""
    activity = build(plan_of(5, 20), pareto(1e6, 200))
    seen, moments = activity.sums(counted_rows(activity.bands, 200)[None])
    share = share_of_seen(activity, 0.9 * float(seen[0]), 3_000.0**2)
    value, low, high = known(share)
    assert value == pytest.approx(0.9)
    relative = sqrt((3_000 / (0.9 * seen[0])) ** 2 + moments[0, 0] / seen[0] ** 2)
    assert (high - low) / 2 == pytest.approx(1.959964 * 0.9 * relative, rel=1e-3)


def rows_of_most_active(truth, part):
    numbers, persons = truth
    heaviest = np.repeat(numbers[::-1], persons[::-1])
    whole, rest = divmod(part * len(heaviest), 1)
    return float(heaviest[: int(whole)].sum() + rest * heaviest[int(whole)])


@pytest.mark.parametrize("part", [0.001, 0.01, 0.03, 0.1, 0.5, 0.9])
def test_the_rows_of_the_most_active_lie_within_their_limits(part):
    """200 builds: limits that hold in 95 % of them miss in more than 40 of them less than once in a million times."""
    plan, truth = plan_of(5, 20, 100), pareto(3e7, 1000)
    rows = rows_of_most_active(truth, part)
    share = rows / rows_under(truth, 1000)
    batch = build(plan, truth, seeded(3), 200)
    made = [most_active(replace(batch, values=values), part) for values in batch.values]
    found = [each for each in made if each is not None]
    assert len(found) == len(made)
    assert sum(f.rows[0] <= rows <= f.rows[1] for f in found) >= 180
    assert sum(f.share[0] <= share <= f.share[1] for f in found) >= 180
    assert all(f.persons == pytest.approx(part * 1e6, rel=0.01) for f in found)


def test_the_most_active_percent_of_a_pareto_tail_have_about_a_tenth_of_the_rows():
    """Of a tail with alpha 2, the most active part q has sqrt(q) of the rows."""
    found = most_active(build(plan_of(10, 50, 250, 1000), pareto(500e6, 10_000)))
    assert found is not None
    low, high = found.share
    assert low < 0.1 < high
    assert high - low < 0.03


def test_a_part_that_is_none_is_refused():
    with pytest.raises(ValueError, match="part=1: it is between 0 and 1"):
        most_active(build(plan_of(5), pareto(1e6, 50)), 1)
