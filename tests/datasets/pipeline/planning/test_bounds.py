"""The choice of m: what an earlier release can say of another bound is true, whatever the people did."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.period import Month
from datasets.pipeline.planning.bounds import (
    NoEarlierRelease,
    earlier_release,
    forecast_bounds,
    kept_share_limits,
)
from datasets.pipeline.planning.budget import plan_budget
from datasets.pipeline.planning.standard_errors import standard_errors
from datasets.release.format.manifest import ShareEntry
from tests.datasets.pipeline.small_deployment import HARVEST, JUNE, SmallDeployment, crates
from tests.datasets.release.small_release import verify

JULY = Month(2026, 7)


@given(
    st.lists(st.tuples(st.integers(1, 300), st.floats(0, 1)), min_size=1, max_size=30),
    st.integers(0, 200), st.integers(1, 60), st.integers(1, 100),
)  # fmt: skip
def test_the_share_that_another_bound_keeps_lies_where_it_is_said_to(people, organisations, at, m):
    """`people` have so many rows, of which such a part is in one value; an organisation's rows are all kept."""

    def kept(most):
        return organisations + sum(rows * part * min(1, most / rows) for rows, part in people)

    if kept(100) == 0:
        return
    share = kept(at) / kept(100)
    limits = kept_share_limits(ShareEntry(share=share, lo=share, hi=share), at, 100, m)
    assert limits is not None
    low, high = limits
    assert low - 1e-9 <= kept(m) / kept(100) <= high + 1e-9


def test_bounds_meet_where_something_is_known_and_take_in_the_interval():
    share = ShareEntry(share=0.6, lo=0.5, hi=0.7)
    assert kept_share_limits(share, 3, 5, 3) == (0.5, 0.7)
    assert kept_share_limits(share, 3, 5, 5) == (1.0, 1.0)
    assert kept_share_limits(ShareEntry(share=None, lo=None, hi=None), 3, 5, 2) is None
    with pytest.raises(ValueError, match="from 1 to 5"):
        kept_share_limits(share, 3, 5, 6)


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    deployment = SmallDeployment(tmp_path_factory.mktemp("deployment"))
    deployment.put(crates(20_000, 4_000)).build()
    return deployment.folder / "releases"


def test_noise_grows_with_the_bound_and_bias_falls(released):
    manifest = earlier_release(released, HARVEST, "2026-06.1", JULY, verify)
    found = [
        c
        for c in forecast_bounds(HARVEST, JULY, released, manifest, [1, 3, 5])
        if c.measure == "crates" and c.cuboid == "total"
    ]
    one, three, five = sorted(found, key=lambda c: c.rows_per_unit)
    promised = float(standard_errors(plan_budget(HARVEST, JULY), "crates", (0, 0, 0)))
    assert (one.error, three.error, five.error) == pytest.approx((promised / 3, promised, promised * 5 / 3))
    for choice in found:
        assert choice.bias is not None
        assert choice.bias[0] <= choice.bias[1] <= 0
    assert five.bias == pytest.approx((0, 0))


def test_the_truth_lies_in_the_limits_as_surely_as_in_the_interval_they_start_from(released):
    """The noise is that of a release: the truth is sought within six standard errors, which it leaves in 2 of 10^9 builds."""
    manifest = earlier_release(released, HARVEST, "2026-06.1", JULY, verify)
    kept = manifest.by_measure["crates"].kept
    assert kept is not None
    truth, far = kept_of(crates(20_000, 4_000)), within_errors(kept.overall, 6)
    for choice in forecast_bounds(HARVEST, JULY, released, manifest, [1, 3, 5]):
        if choice.measure == "crates" and choice.cuboid == "total":
            m = choice.rows_per_unit
            assert choice.kept == kept_share_limits(kept.overall, 3, 5, m)
            limits = kept_share_limits(far, 3, 5, m)
            assert limits is not None
            assert limits[0] <= truth[m] <= limits[1]


def within_errors(interval, errors):
    """The interval of so many standard errors, from one of 95 %, which has 1.96."""
    share, lo, hi = interval.share, interval.lo, interval.hi
    return ShareEntry(
        share=share, lo=share - (share - lo) * errors / 1.96, hi=share + (hi - share) * errors / 1.96
    )


def kept_of(columns):
    _, rows = np.unique(columns["unit_id"], return_counts=True)
    return {m: np.minimum(rows, m).sum() / np.minimum(rows, 5).sum() for m in (1, 3, 5)}


def test_each_dimension_is_shown_at_its_largest_code_with_its_own_share(released):
    manifest = earlier_release(released, HARVEST, "2026-06.1", JULY, verify)
    found = {
        c.cuboid: c for c in forecast_bounds(HARVEST, JULY, released, manifest, [3]) if c.measure == "crates"
    }
    assert set(found) == {"total", "kind", "state", "day"}
    kept = manifest.by_measure["crates"].kept
    assert kept is not None
    share = kept.by["kind"]["fruit"]  # three of seven plants
    assert found["kind"].code == "fruit"
    assert found["kind"].kept == pytest.approx((share.lo, share.hi))


@pytest.mark.parametrize(
    ("name", "month", "words"),
    [
        ("2026-06.1", JUNE, "must not be chosen from the month it applies to.*before 2026-06"),
        ("2026-05.1", JULY, "harvest has no such release; there are 2026-06.1"),
        ("../x", JULY, "no such release"),
    ],
)
def test_a_release_that_may_not_be_looked_at_is_refused(released, name, month, words):
    with pytest.raises(NoEarlierRelease, match=words):
        earlier_release(released, HARVEST, name, month, verify)


def test_a_bound_beyond_what_was_measured_is_refused(released):
    manifest = earlier_release(released, HARVEST, "2026-06.1", JULY, verify)
    with pytest.raises(NoEarlierRelease, match="rows-per-unit=6: .* choose a number from 1 to 5"):
        list(forecast_bounds(HARVEST, JULY, released, manifest, [6]))
