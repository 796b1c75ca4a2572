"""The small dataset with weeks above its days."""

from dataclasses import replace
from fractions import Fraction

from datasets.definition import Dataset, DaysOfMonth, Dimension, Level, WeeksOfMonth
from tests.datasets.pipeline.small_dataset import small_dataset

WEEK = WeeksOfMonth()
DAY = Dimension("day", "When", DaysOfMonth(within=WEEK), coarser=(Level("week", WEEK),))


def weekly_dataset(rho: Fraction = Fraction(1, 5)) -> Dataset:
    small = small_dataset(rho)
    return replace(small, dimensions=(*small.dimensions[:-1], DAY))
