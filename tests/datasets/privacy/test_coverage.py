"""95 % of intervals cover the true value, for random questions and with the noise of a real release.

The share of covered cells has a standard deviation of 0.0008, since cells of one release share noise: it is outside of the
limits in 3 of 10^10 runs.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from datasets.pipeline.measurement.randomness import discrete_gaussian_noise
from datasets.privacy.axis import Axis
from datasets.privacy.plan import plan
from datasets.privacy.residuals import ExactTable, measure, reconstruct
from datasets.privacy.variance import variance
from tests.datasets.privacy.schemas import UNEVEN, every_cuboid, flat

Z = 1.959963984540054


def random_question(axes, cuboid, draw):
    """A random question of a cuboid: on each axis a roll-up, a filter, groups, or groups over some of the finer codes."""
    factors = []
    for axis, level in zip(axes, cuboid, strict=True):
        size = axis.size(level)
        kept = (draw.random(size) < 0.6) | (np.arange(size) == draw.integers(size))
        match draw.integers(4) if level else 0:
            case 0:
                factors.append((level, np.ones((1, size))) if level else None)
            case 1:
                factors.append((level, kept[None, :].astype(float)))
            case 2:
                factors.append((level, np.eye(size)))
            case 3:
                groups = axis.add_up(np.eye(size), 1, level, max(level - 1, 1)).T
                factors.append((level, groups * kept))
    return factors


def evaluate(table, factors):
    for at, factor in enumerate(factors):
        if factor is not None:
            table = np.moveaxis(np.tensordot(factor[1], table, (1, at)), 0, at)
    return table


AXES = (*UNEVEN, *flat(12), Axis("place", ((4,), (3, 1, 5, 2))))


def test_intervals_cover_95_percent_of_a_hundred_thousand_cells(capsys):
    axes = AXES
    draw = np.random.default_rng(12)
    made = plan(axes, every_cuboid(axes), rho=Fraction(1, 4), sensitivity=20)
    zeros = {b: ExactTable(np.zeros(shape(axes, b), dtype=np.int64)) for b in made.rho_of}
    covered = number = 0
    for _ in range(300):
        residuals = measure(made, zeros, discrete_gaussian_noise)
        for cuboid in made.workload:
            factors = random_question(axes, cuboid, draw)
            error = evaluate(reconstruct(made, residuals, cuboid).values, factors)
            se = np.sqrt(variance(axes, made.variances, factors)).reshape(error.shape)
            if se.min() > 0:
                covered += int((np.abs(error) <= Z * se).sum())
                number += error.size
    with capsys.disabled():
        print(f"\n{covered:,} of {number:,} cells covered: {covered / number:.2%}")
    assert number >= 100_000
    assert 0.945 <= covered / number <= 0.955


def shape(axes, cuboid):
    return tuple(axis.size(level) for axis, level in zip(axes, cuboid, strict=True))
