"""The audit passes the real build and fails one with a planted bug."""

import numpy as np
import pytest

from datasets.build import budget
from datasets.build.audit.attack import audit
from datasets.build.audit.verdict import clopper_pearson_upper
from datasets.build.chance import discrete_gaussian_noise
from datasets.build.counting import Counter
from datasets.privacy.residuals import ExactTable
from tests.datasets.build.workshop import HARVEST

BUILDS = 120


def failed(**options):
    return {v.test for v in audit(HARVEST, builds=BUILDS, **options) if not v.passed}


def test_the_real_build_passes():
    assert failed() == set()


def test_rows_forgotten_in_the_sensitivity_are_caught(monkeypatch):
    real = budget.sensitivity
    monkeypatch.setattr(
        budget, "sensitivity", lambda d, m: max(1, real(d, m) // (budget.rows_per_unit(d, m) or 1))
    )
    assert "d'" in failed()


def test_noise_shared_between_cuboids_is_caught():
    def noise(scales):
        one = float(discrete_gaussian_noise(np.array([1000.0]))[0]) / 1000 if not drawn else drawn[0]
        drawn[:] = [one]
        calls.append(1)
        if len(calls) % 40 == 0:
            drawn.clear()
        real = discrete_gaussian_noise(scales)
        real.flat[0] = round(one * float(np.ravel(scales)[0]))
        return real

    drawn, calls = [], []
    assert "shared noise" in failed(noise=noise)


def test_small_cells_dropped_before_noise_are_caught(monkeypatch):
    real = Counter.tables

    def dropping(self, measure):
        return {
            c: ExactTable(np.where(np.abs(t.counts) < 5, 0, t.counts)) for c, t in real(self, measure).items()
        }

    monkeypatch.setattr(Counter, "tables", dropping)
    assert "d'" in failed()


@pytest.mark.parametrize(("hits", "upper"), [(0, 0.30850), (5, 0.81291), (10, 1.0)])
def test_clopper_and_pearsons_limit_is_the_published_one(hits, upper):
    assert clopper_pearson_upper(hits, 10, 0.025) == pytest.approx(upper, abs=1e-4)
