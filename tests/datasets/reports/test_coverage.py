"""Intervals of a report cover the truth of the synthetic month 95 % of the time, over repeated builds of it.

Each build draws new noise from the operating system over the same bounded events. Numbers of one build share noise, so the
builds are counted as fewer independent ones than they hold: a third, as their spread over many builds says at worst.
"""

from __future__ import annotations

import os
from math import sqrt
from statistics import fmean

import pytest

from datasets.reports.coverage import coverage_of
from datasets.reports.finding import IndicatorQueries
from datasets.reports.number import Number
from datasets.reports.official.parts import PARTS
from datasets.reports.period import ReportPeriod
from datasets.reports.report import build_report, current_releases
from tests.datasets.reports.builds import build, events, opened

JUNE = ReportPeriod.parse("2026-06")
BUILDS = int(os.environ.get("DAYLIGHT_TEST_BUILDS", "1"))
"""`make intervals` asks for more."""
SHARED = 3.0


def numbers_of(releases) -> dict[tuple[str, ...], Number]:
    """Every number of a report, and every cell of the official parts that is no indicator already."""
    found: dict[tuple[str, ...], Number] = {}
    for name, finding in build_report(releases, JUNE).findings.items():
        found[name,] = finding.number
        found |= {(name, part.of): part.number for part in finding.by}
    current = current_releases(releases)
    for name in ("5_own_initiative_illegal", "6_own_initiative_TC", "7_appeals_and_recidivism", "10_AMAR"):
        part = PARTS[name]
        filled = part.fill_cells(
            IndicatorQueries(releases, current), coverage_of(part.dataset, JUNE, current[part.dataset])
        )
        found |= {(name, *key, column): number for (key, column), number in filled.noisy.items()}
    return found


@pytest.fixture(scope="module")
def against_truth(truth, noisy, raw, tmp_path_factory):
    """Pairs of an estimate with an interval, and the truth, over all builds: one of everything, then of moderation, unless
    `make intervals` asks for more of everything."""
    exact = numbers_of(truth)
    pairs = list(compared(numbers_of(noisy), exact))
    for n in range(BUILDS):
        root = tmp_path_factory.mktemp(f"build{n}")
        for dataset in ("moderation", "ads", "recommendations")[: 1 if BUILDS == 1 else 3]:
            build(root, events(raw, dataset, "2026-06"), dataset, "2026-06")
        releases = opened(root)
        pairs += compared(numbers_of(releases), exact)
        releases.close()
    return pairs


def compared(numbers, exact):
    for name, number in numbers.items():
        real = exact[name].value
        if real is not None and number.lo is not None and number.hi is not None and number.se:
            yield name, number, real


def ensure_covers(pairs, least):
    """The share of intervals that hold the truth is 0.95, as far as so many builds can tell.

    A share of few is not normal: seven standard deviations, which 70 independent intervals exceed in 7 of 10^8 runs.
    """
    assert len(pairs) >= least
    inside = fmean(number.lo <= real <= number.hi for _, number, real in pairs)
    assert abs(inside - 0.95) < 7 * sqrt(0.95 * 0.05 * SHARED / len(pairs)), inside


def test_intervals_of_indicators_cover_the_truth_95_times_in_100(against_truth):
    ensure_covers([pair for pair in against_truth if pair[0][0] not in PARTS], 90)


def test_intervals_of_official_cells_cover_the_truth_95_times_in_100(against_truth):
    ensure_covers([pair for pair in against_truth if pair[0][0] in PARTS], 1500)


def test_standard_errors_of_official_cells_are_the_spread_of_the_errors(against_truth):
    """The mean square of (estimate - truth) / standard error is 1: neither too small nor too large.

    A correct build is outside of six standard deviations in 1 of 10^8 runs (chi-square with 1,500 degrees of freedom).
    """
    squares = [((n.value - real) / n.se) ** 2 for name, n, real in against_truth if name[0] in PARTS]
    assert abs(fmean(squares) - 1) < 6 * sqrt(2 * SHARED / len(squares)), fmean(squares)
