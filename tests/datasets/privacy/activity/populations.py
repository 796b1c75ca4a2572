"""Populations by the expected number of persons with each number of rows, and builds of their activity tables."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from datasets.privacy.activity.bands import Integers, activity_bands
from datasets.privacy.activity.measuring import OFFSETS_PART, ActivityPlan, count_activity, measure_activity
from datasets.privacy.activity.shares import NoisyActivity
from datasets.privacy.axis import Floats
from datasets.privacy.discrete_gaussian import discrete_gaussian
from datasets.privacy.ratio import Ratio
from datasets.privacy.residuals import ExactTable, Noise
from tests.datasets.privacy.schemas import seeded_words

RHO = Fraction(1, 500)
MEAN = 30
Population = tuple[Integers, Integers]


def pareto(rows: float, most: int, alpha: float = 2.0) -> Population:
    """Numbers of rows up to `most`, and how many persons have so many: a Pareto tail with a mean of 30 rows a person.

    The last number holds everybody beyond. Cumulated expectations are rounded, so that the tail is not rounded to nothing.
    """
    least = MEAN * (alpha - 1) / alpha
    numbers = np.arange(1, most + 1)
    beyond = np.minimum(1.0, (least / (numbers - 0.5)) ** alpha)
    reach = np.rint(rows / MEAN * np.append(beyond, 0.0)).astype(np.int64)
    return numbers, reach[:-1] - reach[1:]


def plan_of(*strata: int, rho: Fraction = RHO, offsets_part: Fraction = OFFSETS_PART) -> ActivityPlan:
    return ActivityPlan(activity_bands(strata), rho, offsets_part)


def seeded(seed: int) -> Noise:
    """The sampler of releases, with words from a seed, so that no test fails by chance."""
    words = seeded_words(seed)
    return lambda scales: discrete_gaussian(scales, words)


def silence(scales: Floats) -> Integers:
    return np.zeros(scales.shape, dtype=np.int64)


def build(
    plan: ActivityPlan, population: Population, noise: Noise = silence, builds: int | None = None
) -> NoisyActivity:
    """One table of the population, or a batch of `builds` tables with independent noise."""
    counts = count_activity(plan.bands, *population).counts
    if builds is not None:
        counts = np.broadcast_to(counts, (builds, *counts.shape))
    return NoisyActivity.of(plan, measure_activity(plan, ExactTable(counts), noise))


def known(ratio: Ratio) -> tuple[float, float, float]:
    """Value and interval of a share that has them."""
    assert ratio.value is not None
    assert ratio.low is not None
    assert ratio.high is not None
    return ratio.value, ratio.low, ratio.high


def rows_under(population: Population, m: int) -> int:
    """Rows that count if at most m of each person do."""
    numbers, persons = population
    return int((np.minimum(numbers, m) * persons).sum())
