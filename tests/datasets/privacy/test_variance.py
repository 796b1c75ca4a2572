"""Variances and covariances of questions, against full matrices."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.privacy.plan import plan, residuals_of
from datasets.privacy.variance import Factor, covariance, variance
from tests.datasets.privacy import dense
from tests.datasets.privacy.schemas import (
    DEEP,
    SMALL,
    UNEVEN,
    Axes,
    axes_with_uneven_trees,
    every_cuboid,
    flat,
    often,
)


def noises(axes: Axes) -> dict[Cuboid, float]:
    """A variance for every residual, all different."""
    return {b: 1 + 0.7 * i for i, b in enumerate(every_cuboid(axes))}


def dense_covariance(axes: Axes, s, left: list[Factor], right: list[Factor]) -> NDArray[np.float64]:
    """All cells of one question against all cells of the other."""
    (asked_u, u), (asked_v, v) = rows(axes, left), rows(axes, right)
    return u @ dense.covariance(axes, s, asked_u, asked_v) @ v.T


def rows(axes: Axes, factors: list[Factor]) -> tuple[Cuboid, NDArray[np.float64]]:
    """The cuboid that a question is asked of, and its weights over the cells of it: one row per output cell."""
    asked = tuple(factor[0] if factor else 0 for factor in factors)
    return asked, dense.kron(factor[1] if factor else np.eye(1) for factor in factors)


def grouped(axes: Axes, at: int, level: int) -> Factor:
    return level, np.eye(axes[at].size(level))


def filtered(axes: Axes, at: int, level: int, *codes: int) -> Factor:
    return level, np.isin(np.arange(axes[at].size(level)), codes)[None, :].astype(float)


def grouped_above(axes: Axes, at: int, level: int, group: int, codes: list[int]) -> Factor:
    """Grouped by a coarser level, over some codes of a finer one."""
    finest = dense.adding([axes[at]], (level,), (group,))
    return level, finest * np.isin(np.arange(axes[at].size(level)), codes)


@pytest.mark.parametrize("name", SMALL)
def test_every_cell_of_every_cuboid_has_its_dense_variance(name):
    axes = SMALL[name]
    for cuboid in every_cuboid(axes):
        factors = [grouped(axes, at, level) if level else None for at, level in enumerate(cuboid)]
        expected = np.diag(dense.covariance(axes, noises(axes), cuboid, cuboid))
        np.testing.assert_allclose(variance(axes, noises(axes), factors).ravel(), expected, rtol=1e-12)


def test_filters_rollups_and_groups_above_a_finer_filter_have_their_dense_variance():
    axes, s = UNEVEN, noises(UNEVEN)
    questions: list[list[Factor]] = [
        [filtered(axes, 0, 2, 0, 3, 5), None],
        [filtered(axes, 0, 2, 0, 3, 5), grouped(axes, 1, 1)],
        [filtered(axes, 0, 1, 2), filtered(axes, 1, 1, 0, 1)],
        [grouped_above(axes, 0, 2, 1, [0, 2, 4, 6]), grouped(axes, 1, 1)],
        [grouped_above(axes, 0, 2, 1, list(range(7))), None],
        [(2, np.eye(7)[[6, 0, 0, 3]]), filtered(axes, 1, 1, 2)],
        [(2, np.zeros((2, 7))), grouped(axes, 1, 1)],
    ]
    for factors in questions:
        shape = tuple(len(factor[1]) for factor in factors if factor)
        expected = np.diag(dense_covariance(axes, s, factors, factors)).reshape(shape)
        np.testing.assert_allclose(variance(axes, s, factors), expected, rtol=1e-12)


@st.composite
def questions(draw: st.DrawFn, axes: Axes, sizes: list[int | None] | None = None) -> list[Factor]:
    """Any level of any axis or none, and any weights: zeros and ones, or arbitrary."""
    factors: list[Factor] = []
    for at, axis in enumerate(axes):
        level = draw(st.integers(0, axis.depth))
        if level == 0 and draw(st.booleans()) and not sizes:
            factors.append(None)
            continue
        number = draw(st.integers(1, 3)) if sizes is None else sizes[at] or 1
        entries = draw(
            st.sampled_from([st.sampled_from([0.0, 1.0]), st.floats(-3, 3).map(lambda x: round(x, 3))])
        )
        size = number * axis.size(level)
        cells = draw(st.lists(entries, min_size=size, max_size=size))
        factors.append((level, np.array(cells, dtype=float).reshape(number, axis.size(level))))
    return factors


@given(axes_with_uneven_trees(most_axes=2), st.data())
@often
def test_any_question_has_its_dense_variance(axes, data):
    factors = data.draw(questions(axes))
    found = variance(axes, noises(axes), factors)
    expected = np.diag(dense_covariance(axes, noises(axes), factors, factors))
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-9, atol=1e-9)
    assert np.all(found >= 0)


@given(axes_with_uneven_trees(most_axes=2), st.data())
@often
def test_any_two_questions_at_any_levels_have_their_dense_covariance(axes, data):
    left = data.draw(questions(axes))
    sizes = [len(factor[1]) if factor else None for factor in left]
    right = data.draw(questions(axes, sizes))
    pairs = [(u if u else (0, np.ones((1, 1))), v) for u, v in zip(left, right, strict=True)]
    found = covariance(axes, noises(axes), [u for u, _ in pairs], [v for _, v in pairs])
    expected = np.diag(dense_covariance(axes, noises(axes), left, right))
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-9, atol=1e-9)
    assert covariance(axes, noises(axes), right, left).ravel() == pytest.approx(
        found.ravel(), rel=1e-12, abs=1e-12
    )


def test_covariance_is_that_of_sums_and_differences():
    """Cov(u, v) = (Var(u + v) - Var(u - v)) / 4."""
    axes, generator = DEEP, np.random.Generator(np.random.PCG64(1))
    u, v = generator.normal(size=(2, 1, axes[0].size(3)))
    whole = (1, np.ones((1, 2)))
    found = covariance(axes, noises(axes), [(3, u), whole], [(3, v), whole])
    plus, minus = (variance(axes, noises(axes), [(3, w), whole]) for w in (u + v, u - v))
    assert found == pytest.approx((plus - minus) / 4, rel=1e-9)


def test_one_cell_may_be_compared_with_many():
    axes, s = UNEVEN, noises(UNEVEN)
    one: list[Factor] = [filtered(axes, 0, 1, 0), grouped(axes, 1, 1)]
    many: list[Factor] = [grouped(axes, 0, 2), grouped(axes, 1, 1)]
    found = covariance(axes, s, one, many)
    assert found.shape == (7, 3)
    for cell in range(7):
        alone = covariance(axes, s, one, [(2, np.eye(7)[[cell]]), many[1]])
        np.testing.assert_allclose(found[cell], alone[0])
    total = covariance(axes, s, [None, None], many)
    np.testing.assert_allclose(total, covariance(axes, s, many, [None, None]))
    assert total.shape == (7, 3)


@pytest.mark.parametrize("size", range(2, 60))
def test_a_filter_that_selects_every_code_equals_a_rollup_to_the_last_bit(size):
    """So such a filter never needs a residual that was not measured, for any size of a list."""
    axes = (*flat(size), UNEVEN[0])
    measured: dict[tuple[int, ...], float] = {(0, 0): 2.0, (0, 1): 3.0, (0, 2): 5.0}
    everything: Factor = (1, np.ones((1, size)))
    keywords: Factor = (2, np.eye(7))
    kept = variance(axes, measured, [everything, keywords])
    assert np.array_equal(kept[0], variance(axes, measured, [None, keywords]))


def test_all_keywords_of_a_category_equal_the_category_to_the_last_bit():
    axes, s = UNEVEN, noises(UNEVEN)
    by_category: Factor = (2, dense.add_level(axes[0], 2))
    found = variance(axes, {b: s[b] for b in residuals_of((1, 1))}, [by_category, grouped(axes, 1, 1)])
    assert np.array_equal(found, variance(axes, s, [grouped(axes, 0, 1), grouped(axes, 1, 1)]))


def test_a_question_deeper_than_what_was_measured_is_refused():
    made = plan(UNEVEN, [(1, 1), (2, 0)], rho=Fraction(1, 2))
    with pytest.raises(KeyError):
        variance(UNEVEN, made.variances, [grouped(UNEVEN, 0, 2), grouped(UNEVEN, 1, 1)])


def test_the_mean_variance_that_a_plan_promises_is_the_mean_over_the_cells():
    made = plan(DEEP, every_cuboid(DEEP), rho=Fraction(1, 2))
    for cuboid in every_cuboid(DEEP):
        factors = [grouped(DEEP, at, level) if level else None for at, level in enumerate(cuboid)]
        assert variance(DEEP, made.variances, factors).mean() == pytest.approx(
            made.mean_variance(cuboid), rel=1e-12
        )


def test_one_level_per_axis_gives_the_formula_for_flat_schemas():
    """docs/privacy/variance.md#one-level-per-axis: s_B · prod over B of (|c|² - (sum c)²/n) · prod over the rest of (sum c / n)²."""
    axes, s = flat(3, 4), noises(flat(3, 4))
    c, d = np.array([1.0, 0, 1]), np.array([0.0, 1, 1, 1])
    inside = [(w @ w - w.sum() ** 2 / len(w)) for w in (c, d)]
    outside = [(w.sum() / len(w)) ** 2 for w in (c, d)]
    expected = sum(s[(i, j)] * (inside if i else outside)[0] * (inside if j else outside)[1] for i, j in s)
    assert variance(axes, s, [(1, c[None]), (1, d[None])])[0, 0] == pytest.approx(expected, rel=1e-12)
