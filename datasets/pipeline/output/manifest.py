"""Makes the manifest of a release, from public texts and noisy numbers only."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version

from datasets.definition import EventMeasure, Measure, SumMeasure, UnitMeasure
from datasets.pipeline.engine.bounding import event_measures
from datasets.pipeline.events.source import EventSource
from datasets.pipeline.measurement.kept_shares import KeptShares, estimate_kept_shares
from datasets.pipeline.measurement.noise import NoisyCells
from datasets.pipeline.planning.budget import Budget, rows_per_unit
from datasets.pipeline.state.provenance import code_hash, lock_hash
from datasets.privacy.ledger import Caps, Entry
from datasets.privacy.ratio import Ratio
from datasets.privacy.zcdp import epsilon_rounded_up, power_of_best_test
from datasets.release.format.layout import release_name
from datasets.release.format.manifest import (
    SCHEMA_VERSION,
    FileEntry,
    KeptEntry,
    LedgerEntry,
    Manifest,
    ManifestMeasure,
    PrivacyEntry,
    ResidualEntry,
    ShareEntry,
    SourceEntry,
    TwelveMonthsEntry,
)

NEIGHBOURS = (
    "Inputs are neighbours when they differ by all rows of one privacy unit in one calendar month. Exact numbers of rows, "
    "of units and of kept rows are protected too and appear nowhere."
)
MECHANISM = (
    "Residuals of the published cuboids measured once with the exact discrete Gaussian (Xiao, He, Zhang and Kifer 2023; "
    "Canonne, Kamath and Steinke 2020)."
)
KEPT_NOTE = "Counts describe bounded contributions: this is the estimated share of rows that bounding kept."


def make_manifest(
    budget: Budget,
    cells: NoisyCells,
    source: EventSource,
    *,
    revision: int,
    previous: str | None,
    published: datetime,
    reserved: Entry,
    caps: Caps,
    files: tuple[FileEntry, ...],
) -> Manifest:
    """The manifest of a release with these `files` and noisy `cells`."""
    dataset = budget.dataset
    return Manifest(
        schema_version=SCHEMA_VERSION,
        dataset=dataset.name,
        dataset_version=dataset.version,
        title=dataset.title,
        month=str(budget.month),
        revision=revision,
        release=release_name(budget.month, revision),
        previous=previous,
        published_at=published.isoformat(),
        correction=reserved.reason,
        daylight_version=_installed_version(),
        code_hash=code_hash(),
        lock_hash=lock_hash(),
        source=SourceEntry(**source.model_dump()),
        privacy=_privacy_entry(budget, caps),
        measures=tuple(_measure_entry(budget, cells, measure) for measure in dataset.measures),
        files=files,
        ledger=LedgerEntry(seq=reserved.seq, head=reserved.hash),
        gaps=dataset.gaps,
        law=dataset.law,
    )


def _installed_version() -> str:
    try:
        return version("daylight")
    except PackageNotFoundError:
        return "unpackaged"


def _privacy_entry(budget: Budget, caps: Caps) -> PrivacyEntry:
    rho = budget.rho
    return PrivacyEntry(
        unit=f"{budget.dataset.unit.title}, over one calendar month. {budget.dataset.unit.note}",
        neighbours=NEIGHBOURS,
        mechanism=MECHANISM,
        rho=str(rho),
        epsilon=_epsilon_by_delta(rho),
        power_of_best_5_percent_test=round(power_of_best_test(rho), 4),
        rho_cap_month=str(caps.month),
        rho_cap_year=str(caps.year),
        twelve_months=TwelveMonthsEntry(
            rho=str(12 * rho),
            epsilon=_epsilon_by_delta(12 * rho),
            power_of_best_5_percent_test=round(power_of_best_test(12 * rho), 4),
        ),
    )


def _epsilon_by_delta(rho: Fraction) -> dict[str, float]:
    return {f"{delta:.0e}": epsilon_rounded_up(rho, delta) for delta in (1e-6, 1e-9)}


def _measure_entry(budget: Budget, cells: NoisyCells, measure: Measure) -> ManifestMeasure:
    plan, name = budget.measures[measure.name], budget.dataset.cuboid_name
    return ManifestMeasure(
        name=measure.name,
        kind=measure_kind(measure),
        rows_per_unit=rows_per_unit(budget.dataset, measure),
        sensitivity=plan.sensitivity / plan.grain,
        rho=str(plan.rho),
        counted_by=measure.counted_by if isinstance(measure, SumMeasure) else None,
        middle=measure.middle if isinstance(measure, SumMeasure) else None,
        cuboids=tuple(name(cuboid) for cuboid in plan.workload),
        residuals=tuple(
            ResidualEntry(cuboid=name(b), variance=variance, rho=str(plan.rho_of[b]))
            for b, variance in plan.variances.items()
        ),
        kept=_kept_entry(budget, cells, measure.name) if measure in event_measures(budget.dataset) else None,
    )


def measure_kind(measure: Measure) -> str:
    """The kind of a measure, as the codebook names it."""
    match measure:
        case EventMeasure():
            return "events"
        case UnitMeasure():
            return "units"
        case SumMeasure():
            return "sum"


def _kept_entry(budget: Budget, cells: NoisyCells, name: str) -> KeptEntry:
    shares: KeptShares = estimate_kept_shares(budget, cells, name)
    rho: Fraction = budget.diagnostics[name].rho
    return KeptEntry(
        rows_per_unit=budget.dataset.diagnostics.rows_per_unit,
        rho=str(rho),
        note=KEPT_NOTE,
        overall=_share_entry(shares.overall),
        by={
            level: {code: _share_entry(ratio) for code, ratio in codes.items()}
            for level, codes in shares.by_level.items()
        },
    )


def _share_entry(ratio: Ratio) -> ShareEntry:
    def round_share(share: float | None) -> float | None:
        return None if share is None else round(share, 6)

    return ShareEntry(share=round_share(ratio.value), lo=round_share(ratio.low), hi=round_share(ratio.high))
