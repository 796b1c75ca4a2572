"""All available parts, by their official names."""

from __future__ import annotations

from datasets.release.answer.deadline import Deadline
from datasets.release.releases import Releases
from datasets.reports.coverage import Current, coverage_of
from datasets.reports.finding import IndicatorQueries
from datasets.reports.official.by_category import PARTS_BY_CATEGORY
from datasets.reports.official.by_indicator import PARTS_BY_INDICATOR
from datasets.reports.official.part import FilledPart, PartDefinition
from datasets.reports.period import ReportPeriod

PARTS: dict[str, PartDefinition] = {
    part.template.name: part for part in (*PARTS_BY_CATEGORY, *PARTS_BY_INDICATOR)
}


def fill_part(
    part: PartDefinition,
    releases: Releases,
    period: ReportPeriod,
    current: Current,
    service: str,
    deadline: Deadline | None = None,
) -> FilledPart:
    """A part filled for a period from the current releases; blank if no release covers the period."""
    coverage = coverage_of(part.dataset, period, current[part.dataset])
    filled = part.fill_cells(IndicatorQueries(releases, current, deadline), coverage)
    return FilledPart(part, coverage, filled, service)
