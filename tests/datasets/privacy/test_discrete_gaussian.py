"""The sampler draws the exact discrete Gaussian.

Seeds are fixed, so that no test fails by chance, but for the last one, which asks the operating system: it fails once in 10^8
runs at most (two equal numbers of 200 with a scale of 10^6: 2 of 10^9; two equal words of 100,000: 3 of 10^10).
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import stats

from datasets.pipeline.measurement.randomness import discrete_gaussian_noise, random_words
from datasets.privacy.discrete_gaussian import MAX_SCALE, discrete_gaussian


def words_of(seed):
    generator = np.random.Generator(np.random.PCG64(seed))
    return lambda number: generator.integers(0, 2**64, number, dtype=np.uint64, endpoint=False)


def probabilities(scale, furthest):
    z = np.arange(-furthest, furthest + 1)
    weights = np.exp(-(z.astype(float) ** 2) / (2 * scale**2))
    return z, weights / weights.sum()


@pytest.mark.parametrize("scale", [0.3, 0.7, 1.0, 1.7, 3.3, 10.0, 25.0])
def test_draws_follow_the_exact_distribution(scale):
    draws = discrete_gaussian(np.full(400_000, scale), words_of(int(scale * 10)))
    z, probability = probabilities(scale, int(12 * scale) + 2)
    expected = probability * draws.size
    common = expected >= 20
    counts = np.array([(draws == value).sum() for value in z])
    observed = np.append(counts[common], counts[~common].sum())
    predicted = np.append(expected[common], expected[~common].sum())
    if predicted[-1] < 5:
        observed, predicted = observed[:-1], predicted[:-1] * observed[:-1].sum() / predicted[:-1].sum()
    assert np.abs(draws).max() <= z.max()
    assert stats.chisquare(observed, predicted).pvalue > 1e-4


@pytest.mark.parametrize("scale", [50.0, 1e4, 1e9, MAX_SCALE])
def test_wide_draws_pass_a_test_of_normality(scale):
    draws = discrete_gaussian(np.full(200_000, scale), words_of(7))
    within = np.random.default_rng(8).uniform(-0.5, 0.5, draws.size)  # spread each integer over its unit
    assert stats.kstest((draws + within) / scale, "norm").pvalue > 1e-4


@pytest.mark.parametrize("scale", [0.7, 3.3, 25.0, 1e6])
def test_successive_draws_are_independent(scale):
    """No step of 1 to 8 shows a correlation, of values or of magnitudes, and all quadrants are equally frequent."""
    draws = discrete_gaussian(np.full(200_000, scale), words_of(11)).astype(float)
    for values in (draws, np.abs(draws)):
        centred = (values - values.mean()) / values.std()
        for step in range(1, 9):
            assert abs((centred[step:] * centred[:-step]).mean()) * np.sqrt(len(draws)) < 4.5
    signs = np.sign(draws).astype(int) + 1
    together = np.bincount(3 * signs[::2] + signs[1::2], minlength=9).reshape(3, 3)
    if scale > 1e3:  # zero is hardly ever drawn
        together = together[::2, ::2]
    assert stats.chi2_contingency(together).pvalue > 1e-4


def test_coins_decided_with_more_bits_have_the_same_outcome():
    scales = np.geomspace(0.4, 1e6, 3_000)
    short = discrete_gaussian(scales, words_of(3))
    long = discrete_gaussian(scales, words_of(3), margin=2.0**-9)
    np.testing.assert_array_equal(short, long)


def test_the_margin_is_far_wider_than_the_errors_of_exp_and_log():
    """docs/privacy/noise.md#no-rounding-decides-anything: together below 2^-39, and the margin is 2^-34."""
    generator = np.random.Generator(np.random.PCG64(9))
    gammas = np.concatenate((np.geomspace(1e-12, 64, 3_000), generator.uniform(0, 64, 3_000)))
    words = np.concatenate(
        (
            generator.integers(1 << 40, 1 << 64, 3_000, dtype=np.uint64),
            np.uint64(1) << np.arange(40, 64, dtype=np.uint64),
        )
    )
    with localcontext() as context:
        context.prec = 60
        exps = [
            abs(Decimal(float(found)) - (-Decimal(float(gamma))).exp())
            for gamma, found in zip(gammas, np.exp(-gammas), strict=True)
        ]
        logs = [
            abs(Decimal(float(found)) + (Decimal(int(word)) / Decimal(1 << 64)).ln())
            for word, found in zip(words, -np.log(words * 2.0**-64), strict=True)
        ]
    assert max(exps) < Decimal(2) ** -50
    assert max(logs) < Decimal(2) ** -46


def test_each_draw_has_a_scale_of_its_own():
    scales = np.tile([0.5, 1_000.0], 50_000)
    draws = discrete_gaussian(scales, words_of(4)).reshape(-1, 2)
    assert draws[:, 0].std() == pytest.approx(np.sqrt(_second_moment(0.5)), rel=0.02)
    assert draws[:, 1].std() == pytest.approx(1_000, rel=0.02)
    assert abs(np.corrcoef(draws[:, 0], draws[:, 1])[0, 1]) < 0.02


def _second_moment(scale):
    z, probability = probabilities(scale, 50)
    return float((probability * z**2).sum())


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), MAX_SCALE * 2])
def test_a_scale_that_cannot_be_drawn_is_refused(scale):
    with pytest.raises(ValueError, match="scales of the discrete Gaussian"):
        discrete_gaussian(np.array([scale]), words_of(1))


def test_releases_take_their_bits_from_the_operating_system_and_never_twice():
    assert discrete_gaussian_noise(np.zeros((0, 3)) + 1.0).shape == (0, 3)
    one, other = (discrete_gaussian_noise(np.full((50, 4), 1e6)) for _ in range(2))
    assert one.shape == (50, 4)
    assert (one != other).mean() > 0.99
    words = random_words(100_000)
    assert len(np.unique(words)) == 100_000
    ones = np.unpackbits(words.view(np.uint8)).mean()
    assert ones == pytest.approx(0.5, abs=0.002)
