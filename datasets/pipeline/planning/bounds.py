"""Forecasts for other contribution bounds m: noise and limits of the bias, from the numbers of an earlier release.

A month's own events must not influence m. This module reads a released manifest and released cells of an earlier month,
never a raw event (an import contract proves it), so a forecast costs no budget.

The noise of a candidate is exact, because its plan is computed. Its bias follows from the kept shares of the earlier
release, which gives two points of a curve: the number of rows R that count under its own m, and under a much looser cap. A
person with n rows contributes min(n, m), which is concave in m. Therefore R is concave too, overall, and for each code on
average over the hash that selects the rows. A concave curve through two known points lies between straight lines. These
limits are reported without an estimate in between. They start from the ends of the shares' 95 % intervals, so they hold with
that confidence; for one code the hash can break them (docs/privacy/bounding.md#the-bias-of-bounding).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import pyarrow.parquet as pq

from datasets.definition import Dataset, EventMeasure
from datasets.period import Month
from datasets.pipeline.engine.bounding import event_measures
from datasets.pipeline.planning.budget import Budget, plan_budget
from datasets.pipeline.planning.standard_errors import standard_errors
from datasets.refusal import Refusal, printable
from datasets.release.format import layout
from datasets.release.format.manifest import KeptEntry, Manifest, ShareEntry
from datasets.release.format.verification import Verify, verified_manifest

TOTAL = "total"


class NoEarlierRelease(Refusal):
    """The release cannot be used to choose m: it does not exist, is not of an earlier month, or lacks kept shares."""


@dataclass(frozen=True, slots=True)
class BoundForecast:
    """The effect of m = `rows_per_unit` on one cuboid of a measure: `error` is the root mean square of the standard errors
    of its cells; `kept` and `bias` (in rows) are limits for `code`, its largest cell."""

    measure: str
    rows_per_unit: int
    cuboid: str
    code: str
    error: float
    kept: tuple[float, float] | None
    bias: tuple[float, float] | None


def earlier_release(root: Path, dataset: Dataset, name: str, month: Month, verify: Verify) -> Manifest:
    """The verified manifest of a release of a month before `month`. Raises NoEarlierRelease or ReleaseDamaged."""
    names = layout.release_names(root, dataset.name)
    if name not in names:
        known = f"; there are {', '.join(names)}" if names else ""
        raise NoEarlierRelease(f"from={printable(name)}: {dataset.name} has no such release{known}")
    manifest = verified_manifest(layout.release_folder(root, dataset.name, name), verify)
    if Month.parse(manifest.month) >= month:
        raise NoEarlierRelease(
            f"from={name}: a bound must not be chosen from the month it applies to; name a release of a month before {month}"
        )
    return manifest


def kept_share_limits(share: ShareEntry, at: int, cap: int, rows_per_unit: int) -> tuple[float, float] | None:
    """Limits of the share of rows that another m keeps, if m = `at` keeps `share` of the rows under `cap`.

    None if noise leaves no interval. Raises ValueError if m is not between 1 and the cap.

    >>> kept_share_limits(ShareEntry(share=0.5, lo=0.5, hi=0.5), at=10, cap=110, rows_per_unit=20)
    (0.55, 1.0)
    >>> kept_share_limits(ShareEntry(share=0.5, lo=0.5, hi=0.5), at=10, cap=110, rows_per_unit=5)
    (0.25, 0.475)
    """
    if not 1 <= rows_per_unit <= cap:
        raise ValueError(f"m = {rows_per_unit} is not from 1 to {cap}")
    if share.lo is None or share.hi is None:
        return None
    m = rows_per_unit
    beyond = (m - at) / (cap - at)
    if m <= at:  # the line through the origin is below, the line through both points above
        return share.lo * m / at, min(share.hi, share.hi + (1 - share.hi) * beyond)
    return share.lo + (1 - share.lo) * beyond, min(1.0, share.hi * m / at)


def forecast_bounds(
    dataset: Dataset, month: Month, root: Path, manifest: Manifest, candidates: Sequence[int]
) -> Iterator[BoundForecast]:
    """For each event measure and candidate: the total, then the code with the most rows of each dimension.

    Raises NoEarlierRelease if a candidate is not between 1 and the cap under which the release measured its shares.
    """
    cells = layout.release_folder(root, dataset.name, manifest.release) / layout.CELLS
    for measure in event_measures(dataset):
        entry = manifest.by_measure.get(measure.name)
        if entry is None or entry.kept is None or entry.rows_per_unit is None:
            raise NoEarlierRelease(
                f"from={manifest.release}: the release has no kept shares of {measure.name}"
            )
        for m in candidates:
            _ensure_within_measured_range(m, entry.kept, manifest)
            budget = plan_budget(_with_rows_per_unit(dataset, measure, m), month)
            for cuboid, code, share, counted in _largest_codes(entry.kept, cells, measure.name):
                if (error := _cuboid_error(budget, measure.name, cuboid)) is not None:
                    bounds = kept_share_limits(share, entry.rows_per_unit, entry.kept.rows_per_unit, m)
                    bias = _bias_limits(bounds, share, counted)
                    yield BoundForecast(measure.name, m, cuboid, code, error, bounds, bias)


def _ensure_within_measured_range(m: int, kept: KeptEntry, manifest: Manifest) -> None:
    if not 1 <= m <= kept.rows_per_unit:
        raise NoEarlierRelease(
            f"rows-per-unit={m}: {manifest.release} measured kept shares against {kept.rows_per_unit} rows a person; "
            f"choose a number from 1 to {kept.rows_per_unit}"
        )


def _with_rows_per_unit(dataset: Dataset, measure: EventMeasure, m: int) -> Dataset:
    """The declaration with another m."""
    measures = tuple(
        replace(measure, rows_per_unit=m) if each == measure else each for each in dataset.measures
    )
    return replace(dataset, measures=measures)


def _largest_codes(
    kept: KeptEntry, cells: Path, measure: str
) -> Iterator[tuple[str, str, ShareEntry, float]]:
    """The total, and for each level the code with the largest released count, whose share is the most accurate."""
    yield TOTAL, TOTAL, kept.overall, _released_counts(cells, measure, TOTAL)[TOTAL]
    for level, shares in kept.by.items():
        counts = _released_counts(cells, measure, level)
        code = max(shares, key=lambda each: counts[each])
        yield level, code, shares[code], counts[code]


def _released_counts(path: Path, measure: str, cuboid: str) -> dict[str, float]:
    """The released counts of a cuboid of at most one level, by code."""
    columns = [measure] if cuboid == TOTAL else [measure, cuboid]
    cells = pq.read_table(path, columns=columns, filters=[("cuboid", "==", cuboid)]).to_pylist()
    return {str(cell.get(cuboid, TOTAL)): float(cell[measure]) for cell in cells}


def _cuboid_error(budget: Budget, measure: str, cuboid: str) -> float | None:
    """The promised error of a cuboid; None if the current declaration no longer publishes it."""
    levels = {budget.dataset.cuboid_name(c): c for c in budget.measures[measure].workload}
    if cuboid not in levels:
        return None
    return sqrt(float((standard_errors(budget, measure, levels[cuboid]) ** 2).mean()))


def _bias_limits(
    bounds: tuple[float, float] | None, share: ShareEntry, counted: float
) -> tuple[float, float] | None:
    """Limits of the bias in rows (negative): the rows under the loose cap that are not kept, estimated from noisy numbers."""
    if bounds is None or not share.share:
        return None
    rows = max(counted, 0.0) / share.share
    return (bounds[0] - 1) * rows, (bounds[1] - 1) * rows
