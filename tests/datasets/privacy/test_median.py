"""Medians of banded values from noisy counts."""

import numpy as np
import pytest

from datasets.privacy.median import medians

EDGES = [0.0, 1.0, 6.0, 24.0, 72.0, 168.0, np.inf]


def one(counts, variance=0.0, z=1.96, edges=EDGES):
    counts = np.array(counts, dtype=float)[:, None]
    moments = np.eye(len(counts))[:, :, None] * variance
    return [float(part[0]) for part in medians(edges, counts, moments, z)]


def test_half_of_the_counts_lie_below_the_median():
    assert one([100, 0, 0, 0, 0, 0])[0] == 0.5
    assert one([0, 100, 0, 0, 0, 0])[0] == 3.5
    assert one([30, 40, 30, 0, 0, 0])[0] == 1 + 5 * 20 / 40


def test_a_median_on_an_edge_is_the_edge():
    assert one([50, 50, 0, 0, 0, 0])[0] == 1.0


def test_a_median_in_the_endless_band_is_not_known():
    value, error, low, high = one([0, 0, 0, 0, 20, 80], variance=4.0)
    assert np.isnan([value, error, high]).all()
    assert low == 168.0


def test_an_interval_that_reaches_the_endless_band_has_no_upper_end():
    value, _, low, high = one([0, 0, 0, 0, 51, 49], variance=9.0)
    assert 72 < low < value < 168
    assert np.isnan(high)


def test_there_is_no_median_if_the_total_may_be_zero():
    assert np.isnan(one([2, 3, 1, 0, 0, 0], variance=25.0)).all()
    assert np.isnan(one([-5, -3, -1, 0, 0, 0], variance=1.0)).all()


def test_negative_counts_give_a_median_or_none():
    value, error, low, high = one([-3, 60, 50, -2, 4, -1], variance=9.0)
    assert 1 < low < value < high < 24
    assert error > 0


@pytest.mark.parametrize(
    "counts", [[300, 500, 150, 40, 8, 2], [20, 30, 200, 500, 200, 50], [50, 52, 48, 50, 50, 50]]
)
def test_95_percent_of_intervals_hold_the_true_median_and_its_error_is_its_spread(counts):
    truth = one(counts)[0]
    draw = np.random.Generator(np.random.PCG64(3))
    root = draw.normal(size=(6, 6)) * 2
    moments = root @ root.T + 30 * np.eye(6)
    noisy = draw.multivariate_normal(counts, moments, size=20_000).T
    value, error, low, high = medians(
        EDGES, noisy, np.broadcast_to(moments[:, :, None], (6, 6, 20_000)), 1.959964
    )
    held = (low <= truth) & ((truth <= high) | np.isnan(high))
    assert np.mean(held) == pytest.approx(0.95, abs=0.006)
    if counts[0] == 300:
        assert np.nanmean(error) == pytest.approx(np.nanstd(value), rel=0.03)


@pytest.mark.parametrize("counts", [[400, 380, 30, 360, 300, 100], [300, 300, 20, 320, 300, 0]])
def test_a_median_in_a_band_with_few_values_has_an_error_that_is_its_spread(counts):
    """The slope inside the band gives wrong errors there: 7 and 11 hours instead of 5 and 12."""
    _, error, _, _ = one(counts, variance=100.0)
    draw = np.random.Generator(np.random.PCG64(4))
    noisy = np.array(counts, dtype=float)[:, None] + draw.normal(size=(6, 50_000)) * 10
    value = medians(EDGES, noisy, np.broadcast_to(100 * np.eye(6)[:, :, None], (6, 6, 50_000)), 1.96)[0]
    assert error == pytest.approx(np.nanstd(value), rel=0.1)
