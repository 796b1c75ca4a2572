"""Numbers that reports read from the signed manifests; they are exact, because manifests are public."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from datasets.period import Month
from datasets.release.answer.release import Release
from datasets.reports.commitment import Fact
from datasets.reports.coverage import Coverage
from datasets.reports.number import NO_NUMBER, Number


def count_fact(fact: Fact, coverages: Sequence[Coverage]) -> Number:
    """The number of a fact over the coverages of all datasets."""
    found = [release for coverage in coverages for release in (*coverage.used, *coverage.apart)]
    match fact.count:
        case "datasets_released":
            return Number.exact(sum(bool(coverage.used) for coverage in coverages))
        case "months_released":
            return Number.exact(len(found))
        case "revisions":
            return Number.exact(sum(release.manifest.revision > 1 for release in found))
        case "days_to_publication":
            return Number.exact(max(map(_days_to_publication, found))) if found else NO_NUMBER


def _days_to_publication(release: Release) -> int:
    published = datetime.fromisoformat(release.manifest.published_at).date()
    return (published - Month.parse(release.manifest.month).days[-1]).days
