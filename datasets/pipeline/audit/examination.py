"""The whole audit of a dataset: the randomness check, the comparison of releases, and the attack."""

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
"""The least number of builds of an input from which its noise can be judged."""
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
    """Every verdict on a dataset as it is declared and built; `on_build` is called after each of `number_of_builds` builds.

    The noise is that of real releases unless a test passes another one.
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
    """The default noise of a build, which no command or setting can change."""
    noise: Noise = inspect.signature(run.build_release).parameters["noise"].default
    return noise


def number_of_builds(dataset: Dataset, builds: int) -> int:
    """The number of builds that the attack makes: of the crowd, and of the crowd with each attacked canary."""
    return builds * (1 + sum(canary.attacked for canary in canaries(dataset, MONTH)))
