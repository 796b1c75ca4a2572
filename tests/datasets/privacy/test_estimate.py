"""Differences, shares, rates: their standard errors are the spread of repeated releases, and their intervals cover the true value.

Repeated releases are simulated from the plan itself: residuals are measured again, cuboids reconstructed, and questions evaluated.
"""

from fractions import Fraction

import numpy as np
import pytest

from datasets.privacy.axis import Axis
from datasets.privacy.estimate import BandMedian, Formula, Linear, Quotient, QuotientDifference
from datasets.privacy.plan import plan
from datasets.privacy.residuals import ExactTable, measure, reconstruct
from datasets.privacy.variance import covariance

DRAWS = 6_000
AXES = (Axis("category", ((3,),)), Axis("state", ((4,),)))
EXACT = np.array([[900, 700, 500, 300], [420, 380, 300, 250], [600, 90, 240, 130]])
PLAN = plan(AXES, ((0, 0), (1, 0), (0, 1), (1, 1)), rho=Fraction(1, 50), sensitivity=3, grain=1)


@pytest.fixture(scope="module")
def releases():
    """The finest cuboid of many releases of the same counts; shape: draws, categories, states."""
    draw = np.random.Generator(np.random.PCG64(11))

    def noise(scales):
        return np.rint(draw.normal(0.0, scales)).astype(np.int64)

    tables: dict[tuple[int, ...], np.ndarray] = {
        (0, 0): EXACT.sum(keepdims=True), (1, 0): EXACT.sum(1, keepdims=True), (0, 1): EXACT.sum(0, keepdims=True), (1, 1): EXACT,
    }  # fmt: skip
    exact = {b: ExactTable(tables[b]) for b in PLAN.rho_of}
    return np.stack([reconstruct(PLAN, measure(PLAN, exact, noise), (1, 1)).values for _ in range(DRAWS)])


def sums(releases, *wheres):
    """Quantities, each the sum over a category set and a state set: of every release, of the truth, and their covariances."""
    factors = []
    for categories, states in wheres:
        rows = [
            np.isin(np.arange(3), categories)[None].astype(float),
            np.isin(np.arange(4), states)[None].astype(float),
        ]
        factors.append(tuple((1, row) for row in rows))
    weights = [np.outer(f[0][1][0], f[1][1][0]) for f in factors]
    values = np.stack([np.tensordot(releases, w, 2) for w in weights])
    truth = np.array([[float((EXACT * w).sum())] for w in weights])
    variances = {b: PLAN.deviation(b) ** 2 for b in PLAN.rho_of}
    moments = np.array([[float(covariance(AXES, variances, u, v).item()) for v in factors] for u in factors])
    return values, truth, np.broadcast_to(moments[:, :, None], (*moments.shape, values.shape[1]))


ALL, EVERY = (0, 1, 2), (0, 1, 2, 3)
CASES: dict[str, tuple[Formula, list[tuple[tuple[int, ...], tuple[int, ...]]]]] = {
    "a cell": (Linear(), [((0,), (1,))]),
    "a difference of states": (Linear((1.0, -1.0)), [(ALL, (0,)), (ALL, (1,))]),
    "a share of the whole": (Quotient(), [((0,), EVERY), (ALL, EVERY)]),
    "a share within a state": (Quotient(), [((2,), (1,)), (ALL, (1,))]),
    "a difference of shares": (
        QuotientDifference(), [((0,), (0,)), (ALL, (0,)), ((0,), (1,)), (ALL, (1,))],
    ),
    "a median over states": (BandMedian((0.0, 1.0, 2.0, 4.0, np.inf)), [((0,), (k,)) for k in EVERY]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_standard_error_is_the_spread_of_repeated_releases_within_3_percent(releases, case):
    formula, wheres = CASES[case]
    values, _, moments = sums(releases, *wheres)
    found = formula.estimate(values, moments, 1.959964)
    assert not np.isnan(found.error).any()
    assert np.sqrt(np.mean(found.error**2)) == pytest.approx(np.std(found.value), rel=0.03)


@pytest.mark.parametrize("case", CASES)
def test_95_percent_of_intervals_hold_the_truth(releases, case):
    formula, wheres = CASES[case]
    values, truth, moments = sums(releases, *wheres)
    found = formula.estimate(values, moments, 1.959964)
    true = formula.estimate(truth, np.zeros((len(truth), len(truth), 1)), 1.959964).value[0]
    held = np.mean((found.low <= true) & (true <= found.high))
    assert held == pytest.approx(0.95, abs=0.012)
