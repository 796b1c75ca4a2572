"""The attack on a dataset: neighbouring inputs are validated, bounded, counted and given noise many times, and compared."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.audit.claimed_rho import claimed_rho
from datasets.pipeline.audit.neighbours import Canary, Row, canaries, crowd, write_events
from datasets.pipeline.audit.statistic import Probes, PublishedPlans
from datasets.pipeline.audit.verdict import Attack, Verdict, exact_shift_verdict, noise_verdicts
from datasets.pipeline.engine import bounding
from datasets.pipeline.events.layout import month_folder
from datasets.pipeline.events.validation import PartitionTarget, validate
from datasets.pipeline.measurement.noise import NoisyCells, measure_rows
from datasets.pipeline.planning.budget import Budget, plan_budget
from datasets.privacy.axis import Floats
from datasets.privacy.residuals import Integers, Noise

MONTH = Month(2026, 6)
SALT = "audit"

Rows = list[bounding.Contributions]


@dataclass(frozen=True, eq=False)
class Target:
    """A canary with everything that an adversary knows about it before seeing a release."""

    canary: Canary
    rows: Rows
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
    rows = bounded_rows(budget, crowd(dataset, MONTH))
    quiet = measure_rows(budget, rows, no_noise)
    targets = [make_target(budget, quiet, canary) for canary in canaries(dataset, MONTH)]
    attacked = [target for target in targets if target.canary.attacked]
    without: list[list[Floats]] = [[] for _ in attacked]
    with_: list[list[Floats]] = [[] for _ in attacked]

    def build(rows: Rows) -> NoisyCells:
        cells = measure_rows(budget, rows, noise)
        on_build()
        return cells

    for _ in range(builds):
        cells = build(rows)
        for at, target in enumerate(attacked):
            without[at].append(target.probes.scores(cells))
            with_[at].append(target.probes.scores(build(target.rows)))
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
    rows = bounded_rows(budget, (*crowd(budget.dataset, budget.month), *canary.rows))
    quiet = measure_rows(budget, rows, no_noise)
    return Target(canary, rows, quiet, Probes.between(PublishedPlans(budget), without, quiet))


def no_noise(scales: Floats) -> Integers:
    """Zeros. The adversary knows both inputs, but not which one was built, and so can compute both releases without noise."""
    return np.zeros(scales.shape, dtype=np.int64)


def bounded_rows(budget: Budget, rows: tuple[Row, ...], salt: str = SALT) -> Rows:
    """The contributions of raw rows after they are written, validated and bounded as in a build."""
    dataset, month = budget.dataset, budget.month
    with TemporaryDirectory() as name, closing(duckdb.connect(config={"threads": 1})) as con:
        folder = month_folder(write_events(Path(name) / "events", dataset, month, rows), dataset, month)
        into = PartitionTarget(Path(name) / "buckets", salt)
        partitions = validate(con, dataset, month, folder, Path(name) / "quarantine", into).partitions
        return [
            batch
            for partition in range(partitions.number)
            for batch in bounding.bound_rows(con, dataset, month, partitions.partition_sql(partition))
        ]
