"""A release of all marginals of up to two attributes with OpenDP, compared with ours in one run.

10^6 rows of six attributes (16, 8, 4, 8, 28, 30), rho 0.5, a unit is one row. OpenDP's Polars context pins a version of
polars older than the one in the tests. So this uses OpenDP's other, faster way: `make_count_by_categories` with public
categories and `then_gaussian`, with an equal share of rho for each marginal
(docs/privacy/numbers.md#equal-budgets-for-each-table).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib.metadata import version
from itertools import combinations
from math import prod, sqrt

import numpy as np
import opendp.prelude as dp

from bench.figures import BenchmarkLine
from datasets.pipeline.engine.counting import Counter, covering_tables, roll_up
from datasets.pipeline.measurement.randomness import discrete_gaussian_noise
from datasets.privacy.axis import Axis
from datasets.privacy.plan import plan
from datasets.privacy.residuals import measure, reconstruct

SIZES = (16, 8, 4, 8, 28, 30)
ROWS = 1_000_000
RHO = Fraction(1, 2)
WANTED = [
    tuple(int(at in chosen) for at in range(len(SIZES)))
    for size in range(3)
    for chosen in combinations(range(len(SIZES)), size)
]

Codes = list[np.ndarray]
Release = dict[tuple[int, ...], np.ndarray]


def figures() -> Iterator[BenchmarkLine]:
    draw = np.random.default_rng(1)
    codes = [(draw.random(ROWS) ** 2 * size).astype(np.intp) for size in SIZES]
    exact = {cuboid: _marginal(codes, cuboid) for cuboid in WANTED}
    (ours, seconds), (theirs, their_seconds) = (
        _release_and_seconds(_daylight, codes),
        _release_and_seconds(_opendp, codes),
    )
    error, their_error = _error(ours, exact), _error(theirs, exact)
    yield BenchmarkLine(
        f"{len(WANTED)} marginals: CPU seconds", f"{seconds:.2f} s", f"{their_seconds:.2f} s (OpenDP {_version()})",
        seconds / their_seconds, "at most 0.01",
    )  # fmt: skip
    yield BenchmarkLine(
        "RMSE a cell", f"{error:.2f}", f"{their_error:.2f} (OpenDP)", error / their_error, "at most 1"
    )


def _daylight(codes: Codes) -> Release:
    axes = tuple(Axis(f"a{at}", ((size,),)) for at, size in enumerate(SIZES))
    made = plan(axes, WANTED, rho=RHO, weights=dict.fromkeys(WANTED, 1.0))
    counter = Counter(axes, covering_tables(axes, {"rows": made.rho_of}))
    for start in range(0, ROWS, 1 << 17):
        batch = [code[start : start + (1 << 17)] for code in codes]
        counter.add_batch(batch, {"rows": np.ones(len(batch[0]))})
    residuals = measure(made, roll_up(axes, counter.exact()["rows"], made.rho_of), discrete_gaussian_noise)
    return {cuboid: reconstruct(made, residuals, cuboid).values.ravel() for cuboid in WANTED}


def _opendp(codes: Codes) -> Release:
    dp.enable_features("contrib", "honest-but-curious")
    space = dp.vector_domain(dp.atom_domain(T=dp.i32)), dp.symmetric_distance()
    scale = sqrt(len(WANTED) / (2 * float(RHO)))  # a row changes each marginal by 1: rho/k = 1 / (2 scale²)
    released = {}
    spent = 0.0
    for cuboid in WANTED:
        cells = prod(_sizes(cuboid))
        counting = dp.t.make_count_by_categories(
            *space, categories=list(range(cells)), null_category=False, MO="L2Distance<i32>"
        )
        mechanism = counting >> dp.m.then_gaussian(scale)
        spent += mechanism.map(1)
        released[cuboid] = np.array(mechanism(_packed(codes, cuboid).astype(np.int32)))
    assert spent <= float(RHO) * (1 + 1e-9), "both release at the same rho"
    return released


def _sizes(cuboid: tuple[int, ...]) -> list[int]:
    return [size for size, grouped in zip(SIZES, cuboid, strict=True) if grouped]


def _packed(codes: Codes, cuboid: tuple[int, ...]) -> np.ndarray:
    key = np.zeros(ROWS, dtype=np.intp)
    for code, size, grouped in zip(codes, SIZES, cuboid, strict=True):
        key = key * size + code if grouped else key
    return key


def _marginal(codes: Codes, cuboid: tuple[int, ...]) -> np.ndarray:
    return np.bincount(_packed(codes, cuboid), minlength=prod(_sizes(cuboid)))


def _release_and_seconds(release: Callable[[Codes], Release], codes: Codes) -> tuple[Release, float]:
    """A release and its CPU seconds. Both libraries use one core, so this is the time on a core that nothing else uses."""
    start = time.process_time()
    made = release(codes)
    return made, time.process_time() - start


def _error(release: Release, exact: Release) -> float:
    squares = sum(float(np.square(release[c] - exact[c]).sum()) for c in WANTED)
    return sqrt(squares / sum(table.size for table in exact.values()))


def _version() -> str:
    return version("opendp")
