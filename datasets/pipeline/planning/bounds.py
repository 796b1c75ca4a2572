"""How many rows of a person to count: for each candidate m its noise beside its bias, from what an earlier release published.

A month's own events have no say in m: what is read here is a released manifest and released cells, never a raw event (a
contract of imports proves it), and it must be of an earlier month. So looking costs no budget.

The noise of a candidate is exact: the plan is made anew. Its bias follows from the kept shares of the earlier release, which
knows two points of a curve: the rows R that count under its own m, and under a far looser cap. Each person counts min(n, m)
rows of n, which bends downwards in m, so R does as well, overall and in each value (there on average over the hash that
chooses the rows). Hence between and beyond two points R lies within straight lines, whatever the people did. Those bounds
are given, with the ends of the shares' intervals, and no guess between them.
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
    """A release that says nothing about the choice of m: it is missing, too late, or of something else."""


@dataclass(frozen=True, slots=True)
class BoundForecast:
    """What m = `rows_per_unit` would mean for the cells of one cuboid of a measure: the root mean square of their standard
    errors, and bounds of the kept share and of the bias, in rows, of `code`, the largest of its cells."""

    measure: str
    rows_per_unit: int
    cuboid: str
    code: str
    error: float
    kept: tuple[float, float] | None
    bias: tuple[float, float] | None


def earlier_release(root: Path, dataset: Dataset, name: str, month: Month, verify: Verify) -> Manifest:
    """The verified manifest of a release of a month before `month`. Raises NoEarlierRelease or ReleaseDamaged."""
    there = layout.release_names(root, dataset.name)
    if name not in there:
        known = f"; there are {', '.join(there)}" if there else ""
        raise NoEarlierRelease(f"from={printable(name)}: {dataset.name} has no such release{known}")
    manifest = verified_manifest(layout.release_folder(root, dataset.name, name), verify)
    if Month.parse(manifest.month) >= month:
        raise NoEarlierRelease(
            f"from={name}: m is chosen without looking at its own month, so the release must be of a month before {month}"
        )
    return manifest


def kept_share_limits(share: ShareEntry, at: int, cap: int, rows_per_unit: int) -> tuple[float, float] | None:
    """Between what ends the share of rows lies that another m keeps, where m = `at` keeps `share` of those under `cap`.

    None where noise leaves no interval. Raises ValueError where m is not from 1 to the cap.

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
    if m <= at:  # a line through nought lies below, the line through both points above
        return share.lo * m / at, min(share.hi, share.hi + (1 - share.hi) * beyond)
    return share.lo + (1 - share.lo) * beyond, min(1.0, share.hi * m / at)


def forecast_bounds(
    dataset: Dataset, month: Month, root: Path, manifest: Manifest, candidates: Sequence[int]
) -> Iterator[BoundForecast]:
    """For each event measure and candidate: the total, then the code with the most rows of each dimension.

    Raises NoEarlierRelease where a candidate is not from 1 to the cap under which the release measured its shares.
    """
    cells = layout.release_folder(root, dataset.name, manifest.release) / layout.CELLS
    for measure in event_measures(dataset):
        entry = manifest.by_measure.get(measure.name)
        if entry is None or entry.kept is None or entry.rows_per_unit is None:
            raise NoEarlierRelease(f"from={manifest.release}: it has no kept shares of {measure.name}")
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
            f"ask from 1 to {kept.rows_per_unit}"
        )


def _with_rows_per_unit(dataset: Dataset, measure: EventMeasure, m: int) -> Dataset:
    """The declaration with another m, which is all that a plan needs."""
    measures = tuple(
        replace(measure, rows_per_unit=m) if each == measure else each for each in dataset.measures
    )
    return replace(dataset, measures=measures)


def _largest_codes(
    kept: KeptEntry, cells: Path, measure: str
) -> Iterator[tuple[str, str, ShareEntry, float]]:
    """The total, and of each level the code of the largest released count, whose share is known best; and that count."""
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
    """The promised error of a cuboid that is published by now; None of one that no longer is."""
    levels = {budget.dataset.cuboid_name(c): c for c in budget.measures[measure].workload}
    if cuboid not in levels:
        return None
    return sqrt(float((standard_errors(budget, measure, levels[cuboid]) ** 2).mean()))


def _bias_limits(
    bounds: tuple[float, float] | None, share: ShareEntry, counted: float
) -> tuple[float, float] | None:
    """Rows that are missing, as negative numbers: of all under the loose cap, what is not kept."""
    if bounds is None or not share.share:
        return None
    rows = max(counted, 0.0) / share.share
    return (bounds[0] - 1) * rows, (bounds[1] - 1) * rows
