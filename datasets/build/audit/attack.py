"""Attacking a dataset: neighbouring events go through validation, bounding, counting and noise, many times."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np

from datasets.build import bounding
from datasets.build.audit.neighbours import Neighbours, neighbours_of
from datasets.build.audit.statistic import Attack, directions, published_residuals, scores
from datasets.build.audit.verdict import Verdict, verdicts
from datasets.build.budget import Budget, budget_of
from datasets.build.chance import discrete_gaussian_noise
from datasets.build.events.layout import month_folder
from datasets.build.events.validation import Into, validate
from datasets.build.noisy import noisy_cells
from datasets.definition import Dataset
from datasets.period import Month
from datasets.privacy.axis import Floats
from datasets.privacy.residuals import Integers, Noise

MONTH = Month(2026, 6)


def audit(
    dataset: Dataset,
    *,
    builds: int,
    confidence: float = 0.95,
    delta: float = 1e-6,
    noise: Noise = discrete_gaussian_noise,
    done: Callable[[], None] = lambda: None,
) -> list[Verdict]:
    """The verdicts on every pair of neighbours, from `builds` builds of each side; `done` is called after each build.

    The promise is the declaration's rho, not the plan's, so that a plan that spends more is caught.
    """
    budget = budget_of(dataset, MONTH)
    promised = sum((dataset.rho_of(m) for m in dataset.measures), Fraction(0))
    return [
        verdict
        for pair in neighbours_of(dataset)
        for verdict in verdicts(
            pair.name, _attack(budget, pair, builds, noise, done), promised, confidence, delta
        )
    ]


def _attack(budget: Budget, pair: Neighbours, builds: int, noise: Noise, done: Callable[[], None]) -> Attack:
    rows = [_bounded(budget, pair, canary=canary) for canary in (False, True)]
    quiet = [published_residuals(budget, noisy_cells(budget, side, _silence)) for side in rows]
    moved = directions(budget, *quiet)

    def score(side: list[bounding.Contributions]) -> Floats:
        found = scores(budget, moved, published_residuals(budget, noisy_cells(budget, side, noise)))
        done()
        return found

    without, with_ = (np.array([score(side) for _ in range(builds)]) for side in rows)
    return Attack(without, with_, np.array([float(np.linalg.norm(d)) for d in moved.values()]))


def _silence(scales: Floats) -> Integers:
    """No noise: what the adversary, who knows both inputs but not which one was built, computes for itself."""
    return np.zeros(scales.shape, dtype=np.int64)


def _bounded(budget: Budget, pair: Neighbours, *, canary: bool) -> list[bounding.Contributions]:
    dataset, month = budget.dataset, budget.month
    with TemporaryDirectory() as name, closing(duckdb.connect(config={"threads": 1})) as con:
        events = pair.write(Path(name) / "events", dataset, month, canary=canary)
        into = Into(Path(name) / "buckets", "audit")
        valid = validate(
            con, dataset, month, month_folder(events, dataset, month), Path(name) / "quarantine", into
        )
        buckets = valid.buckets
        return [
            batch
            for bucket in range(buckets.number)
            for batch in bounding.bounded(con, dataset, month, buckets.relation(bucket))
        ]
