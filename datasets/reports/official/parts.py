"""The parts that are made here, by their official names."""

from __future__ import annotations

from datasets.release.answer.deadline import Deadline
from datasets.release.releases import Releases
from datasets.reports.coverage import Current, coverage_of
from datasets.reports.finding import Inquiry
from datasets.reports.official.by_category import OF_CATEGORIES
from datasets.reports.official.by_indicator import OF_INDICATORS
from datasets.reports.official.part import OfficialPart, Part
from datasets.reports.period import ReportPeriod

PARTS: dict[str, Part] = {part.template.name: part for part in (*OF_CATEGORIES, *OF_INDICATORS)}


def official_part(
    part: Part,
    releases: Releases,
    period: ReportPeriod,
    current: Current,
    service: str,
    deadline: Deadline | None = None,
) -> OfficialPart:
    """A part over a period, filled as far as what is current goes; blank where nothing covers it."""
    coverage = coverage_of(part.dataset, period, current[part.dataset])
    filled = part.filled(Inquiry(releases, current, deadline), coverage)
    return OfficialPart(part, coverage, filled, service)
