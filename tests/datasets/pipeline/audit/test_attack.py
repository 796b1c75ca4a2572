"""The attack passes the real build, and fails a build with a bug in its counts or its noise."""

import numpy as np
import pytest

from datasets.catalogue import DATASETS
from datasets.pipeline.audit.attack import run_attacks
from datasets.pipeline.audit.claimed_rho import claimed_rho
from datasets.pipeline.audit.clopper_pearson import epsilon_bound, upper_limit
from datasets.pipeline.audit.verdict import DISTANCE, EPSILON, MOVES, REPEATED, SCALE, SHARED
from datasets.pipeline.engine import bounding
from datasets.pipeline.engine.counting import roll_up
from datasets.pipeline.measurement.randomness import discrete_gaussian_noise
from datasets.pipeline.planning import budget
from datasets.privacy.discrete_gaussian import discrete_gaussian
from datasets.privacy.residuals import ExactTable
from tests.datasets.pipeline.small_deployment import HARVEST

ROLL_UP = "datasets.pipeline.measurement.noise.roll_up"


def attack(builds=2, noise=discrete_gaussian_noise):
    return run_attacks(
        HARVEST, builds=builds, confidence=0.95, delta=1e-6, noise=noise, on_build=lambda: None
    )


def failed(**options):
    return {verdict.test for verdict in attack(**options) if not verdict.passed}


def test_the_real_build_passes_and_the_audit_is_sharp():
    """A canary over every cap changes the release exactly as much as was promised, so no slack can hide a bug."""
    found = attack(builds=25)
    still_failed = {verdict.test for verdict in found if not verdict.passed}
    for _ in range(3):
        still_failed &= failed(builds=25) if still_failed else set()
    # chance fails d' in one of 80 attacks (three canaries of 0.0042 each), and so four times in 2 of 10^8
    assert still_failed == set()
    moved = {v.about: v for v in found if v.test == MOVES}
    assert moved["far over every cap"].measured == pytest.approx(np.sqrt(2 * float(HARVEST.rho_of_release)))
    assert moved["rows that do not fit"].measured == 0.0
    assert (
        0
        < moved["an organisation's event, sent twice"].measured
        <= np.sqrt(2 * float(claimed_rho(HARVEST, 1)))
    )


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
def test_a_person_at_every_cap_is_promised_exactly_the_rho_of_the_release(dataset):
    assert claimed_rho(dataset, 10**6) == dataset.rho_of_release
    assert 0 < claimed_rho(dataset, 1) < dataset.rho_of_release
    assert claimed_rho(dataset, 0) == 0


def test_rows_forgotten_in_the_sensitivity_are_caught(monkeypatch):
    real = budget.sensitivity
    monkeypatch.setattr(
        budget, "sensitivity", lambda d, m: max(1, real(d, m) // (budget.rows_per_unit(d, m) or 1))
    )
    assert MOVES in failed()


def test_a_missing_bound_is_caught(monkeypatch):
    monkeypatch.setattr(bounding, "_counts_sql", lambda measure, most: "true")
    assert MOVES in failed()


def test_small_cells_dropped_before_noise_are_caught(monkeypatch):
    real = roll_up

    def dropping(*args):
        return {c: ExactTable(np.where(np.abs(t.counts) < 5, 0, t.counts)) for c, t in real(*args).items()}

    monkeypatch.setattr(ROLL_UP, dropping)
    assert MOVES in failed()


def test_counts_rounded_before_noise_are_caught(monkeypatch):
    real = roll_up
    monkeypatch.setattr(
        ROLL_UP,
        lambda *args: {c: ExactTable(np.rint(t.counts / 10).astype(int) * 10) for c, t in real(*args).items()},
    )  # fmt: skip
    assert MOVES in failed()


def test_a_rare_unit_dropped_as_a_whole_is_caught(monkeypatch):
    """Whether a row counts depends on the rows of others: such bounding is not stable."""
    real = bounding.contributions_sql
    monkeypatch.setattr(
        bounding, "contributions_sql",
        lambda d, m, rows: real(d, m, rows) + " WHERE unit_rows > (SELECT avg(unit_rows) FROM units) / 1.15",
    )  # fmt: skip
    assert MOVES in failed()


def test_noise_with_half_of_the_stated_scale_is_caught():
    """Ten builds miss it once in 10^20 times: 200 readings of a measure would have twice their mean square."""
    assert SCALE in failed(
        builds=10, noise=lambda scales: discrete_gaussian_noise(np.maximum(scales / 2, 0.1))
    )


def test_noise_that_is_too_small_in_one_measure_alone_is_caught():
    """Ten builds miss it once in 10^18 times: 80 readings would have three times their mean square."""
    drawn = []

    def noise(scales):  # a build draws for 36 residuals, of which the last four are one measure's
        drawn.append(1)
        return discrete_gaussian_noise(scales / 3 if (len(drawn) - 1) % 36 >= 32 else scales)

    assert SCALE in failed(builds=10, noise=noise)


def test_missing_noise_is_caught_by_every_test_of_noise():
    found = failed(builds=150, noise=lambda scales: np.ones(scales.shape, dtype=np.int64))
    assert {DISTANCE, SCALE, SHARED} <= found
    assert EPSILON in found


def test_noise_shared_between_cuboids_is_caught():
    """Each table restarts the generator from the same state, which is new in each build.

    Ten pairs of readings are always equal, so the number of builds does not matter.
    """
    state: list[int] = []

    def noise(scales):
        if len(state) % 36 == 0:
            seed = int(discrete_gaussian_noise(np.array([1e9]))[0])
            state.clear()
        state.append(seed if not state else state[0])
        draw = np.random.default_rng(abs(state[0]))
        return discrete_gaussian(
            scales, lambda n: draw.integers(0, 2**64, n, dtype=np.uint64, endpoint=False)
        )

    assert SHARED in failed(builds=20, noise=noise)


def test_noise_that_is_repeated_in_the_next_build_is_caught():
    """Ten builds miss it once in 10^9 times: the squares of 36 readings would have a mean of 0.155."""
    kept = []

    def noise(scales):
        kept.append(discrete_gaussian_noise(scales))
        return kept[-1] if len(kept) <= 36 else kept[(len(kept) - 1) % 36]

    assert REPEATED in failed(builds=10, noise=noise)


@pytest.mark.parametrize(("hits", "upper"), [(0, 0.30850), (5, 0.81291), (10, 1.0)])
def test_the_limit_of_clopper_and_pearson_equals_the_published_one(hits, upper):
    assert upper_limit(hits, 10, 0.025) == pytest.approx(upper, abs=1e-4)


def test_the_bound_on_epsilon_has_its_confidence_and_is_near_the_true_value():
    """Randomised response with epsilon log 3: the bound exceeds it in at most 5 of 100 tries, apart from chance."""
    draw = np.random.default_rng(1)
    found = []
    for _ in range(200):
        truth, answers = np.repeat([0.0, 1.0], 300), draw.random(600) < 0.75
        answered = np.where(answers, truth, 1 - truth)
        found.append(epsilon_bound(answered[:300], answered[300:], 0.95, 1e-9))
    assert np.mean(np.array(found) > np.log(3)) < 0.08
    assert np.median(found) > 0.5
