"""The whole audit of a dataset: what moves, what noise hides, what files tell, and where noise comes from."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from datasets.definition import Dataset
from datasets.pipeline import run
from datasets.pipeline.audit.attack import MONTH, run_attacks
from datasets.pipeline.audit.neighbours import canaries
from datasets.pipeline.audit.randomness_check import check_randomness
from datasets.pipeline.audit.release_comparison import compare_releases
from datasets.pipeline.audit.verdict import Verdict
from datasets.privacy.residuals import Noise

MIN_BUILDS = 10
"""Builds of an input, below which nothing is learned of its noise."""
CONFIDENCE, DELTA = 0.95, 1e-6


def audit(
    dataset: Dataset,
    *,
    builds: int,
    confidence: float = CONFIDENCE,
    delta: float = DELTA,
    noise: Noise | None = None,
    on_build: Callable[[], None] = lambda: None,
) -> list[Verdict]:
    """Every verdict on a dataset as it is declared and built; `done` is called after each of `number_of_builds`.

    The noise is that which releases get, unless a test gives another.
    """
    noise = noise or production_noise()
    return [
        *check_randomness(noise),
        *compare_releases(dataset, noise),
        *run_attacks(
            dataset, builds=builds, confidence=confidence, delta=delta, noise=noise, on_build=on_build
        ),
    ]


def production_noise() -> Noise:
    """What a build draws its noise from when nobody says otherwise, as nobody can."""
    noise: Noise = inspect.signature(run.build_release).parameters["noise"].default
    return noise


def number_of_builds(dataset: Dataset, builds: int) -> int:
    """How many builds the attack makes: of the crowd, and of the crowd with each canary that is attacked."""
    return builds * (1 + sum(canary.attacked for canary in canaries(dataset, MONTH)))
