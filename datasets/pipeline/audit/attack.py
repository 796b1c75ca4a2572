"""The attack on a dataset: neighbouring inputs are validated, bounded, counted and given noise many times, and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.audit.claimed_rho import claimed_rho
from datasets.pipeline.audit.neighbours import Canary, Row, canaries, crowd, write_events
from datasets.pipeline.audit.statistic import Probes, PublishedPlans
from datasets.pipeline.audit.verdict import Attack, Verdict, exact_shift_verdict, noise_verdicts
from datasets.pipeline.engine.job import Counts
from datasets.pipeline.events.layout import month_folder
from datasets.pipeline.events.local_engine import LocalEngine, UnsavedProgress
from datasets.pipeline.measurement.noise import NoisyCells, add_noise, count_job
from datasets.pipeline.planning.budget import Budget, plan_budget
from datasets.privacy.axis import Floats
from datasets.privacy.residuals import Integers, Noise

MONTH = Month(2026, 6)
SALT = "audit"


@dataclass(frozen=True, eq=False)
class Target:
    """A canary with everything that an adversary knows about it before seeing a release."""

    canary: Canary
    counts: Counts
    quiet: NoisyCells
    probes: Probes


def run_attacks(
    dataset: Dataset,
    *,
    builds: int,
    confidence: float,
    delta: float,
    noise: Noise,
    on_build: Callable[[], None],
) -> list[Verdict]:
    """The verdicts on every canary: exact ones for all, and for attacked ones also from `builds` builds of each input.

    The input without a canary is the same for all canaries, so its builds are shared. `on_build` is called after each build.
    The promise is the rho of the declaration, not of the plan, so that a plan that spends more is found.
    """
    budget = plan_budget(dataset, MONTH)
    counts = count_rows_of(budget, crowd(dataset, MONTH))
    quiet = add_noise(budget, counts, no_noise)
    targets = [make_target(budget, quiet, canary) for canary in canaries(dataset, MONTH)]
    attacked = [target for target in targets if target.canary.attacked]
    without: list[list[Floats]] = [[] for _ in attacked]
    with_: list[list[Floats]] = [[] for _ in attacked]

    def build(counts: Counts) -> NoisyCells:
        cells = add_noise(budget, counts, noise)
        on_build()
        return cells

    for _ in range(builds):
        cells = build(counts)
        for at, target in enumerate(attacked):
            without[at].append(target.probes.scores(cells))
            with_[at].append(target.probes.scores(build(target.counts)))
    found: list[Verdict] = []
    for target in targets:
        rho = claimed_rho(dataset, target.canary.counted)
        found.append(exact_shift_verdict(target.canary.name, target.probes.shifts, rho))
        if target in attacked:
            at = attacked.index(target)
            seen = np.array(without[at]), np.array(with_[at])
            found += noise_verdicts(_make_attack(target, rho, quiet, *seen), confidence, delta)
    return found


def _make_attack(target: Target, rho: Fraction, quiet: NoisyCells, without: Floats, with_: Floats) -> Attack:
    return Attack(
        target.canary.name, rho, tuple(probe.name for probe in target.probes.probes), target.probes.shifts,
        without, with_, target.probes.scores(quiet), target.probes.scores(target.quiet),
    )  # fmt: skip


def make_target(budget: Budget, without: NoisyCells, canary: Canary) -> Target:
    """Build the input with the canary, without noise, and find what the canary changes."""
    counts = count_rows_of(budget, (*crowd(budget.dataset, budget.month), *canary.rows))
    quiet = add_noise(budget, counts, no_noise)
    return Target(canary, counts, quiet, Probes.between(PublishedPlans(budget), without, quiet))


def no_noise(scales: Floats) -> Integers:
    """Zeros. The adversary knows both inputs, but not which one was built, and so can compute both releases without noise."""
    return np.zeros(scales.shape, dtype=np.int64)


def count_rows_of(budget: Budget, rows: tuple[Row, ...], salt: str = SALT) -> Counts:
    """The exact counts of raw rows, which are written to files and read as in a build."""
    with TemporaryDirectory() as name:
        folder = write_events(Path(name) / "events", budget.dataset, budget.month, rows)
        engine = LocalEngine(Path(name) / "quarantine", UnsavedProgress(Path(name) / "counting"))
        source = month_folder(folder, budget.dataset, budget.month)
        return engine.counted(count_job(budget), salt, source).counts
