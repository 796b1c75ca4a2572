"""A report: every commitment with its findings and gaps, over a period, and what it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from datasets.catalogue import DATASETS
from datasets.period import Month
from datasets.refusal import Refusal
from datasets.release.answer.deadline import Deadline
from datasets.release.format.status import CONFIDENCE, COVERS
from datasets.release.releases import Releases
from datasets.reports.commitment import Commitment, Fact, Indicator
from datasets.reports.commitments import COMMITMENTS
from datasets.reports.coverage import Coverage, Current, coverage_of
from datasets.reports.facts import counted
from datasets.reports.finding import Change, Finding, Inquiry, Part
from datasets.reports.number import STATUS
from datasets.reports.period import ReportPeriod, periods_of


class ReportNotCovered(Refusal):
    """A period of which nothing is released."""


@dataclass(frozen=True)
class Report:
    """What is found for every commitment over a period."""

    period: ReportPeriod
    coverages: tuple[Coverage, ...]
    findings: dict[str, Finding]

    def document(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "period": str(self.period),
            "kind": self.period.kind,
            "dates": self.period.dates,
            "confidence": CONFIDENCE,
            "covers": COVERS,
            "status": STATUS,
            "coverage": [coverage.document() for coverage in self.coverages],
            "warnings": self.warnings,
            "commitments": [self._commitment(commitment) for commitment in COMMITMENTS],
        }

    @property
    def warnings(self) -> list[str]:
        """The notes of the sources and of the figures, each once."""
        return list(dict.fromkeys(w for finding in self.findings.values() for w in finding.warnings))

    def _commitment(self, commitment: Commitment) -> dict[str, Any]:
        return {
            "number": commitment.number,
            "name": commitment.name,
            "title": commitment.title,
            "promise": commitment.promise,
            "law": commitment.law,
            "indicators": [_indicator(i, self.findings[i.name]) for i in commitment.indicators],
            "gaps": list(commitment.gaps),
        }


def current_of(releases: Releases) -> Current:
    """What is current of every dataset."""
    return {dataset.name: releases.current(dataset.name) for dataset in DATASETS}


def report_of(
    releases: Releases, period: ReportPeriod, current: Current | None = None, deadline: Deadline | None = None
) -> Report:
    """The report of a period over what is current. Raises ReportNotCovered, and what asking raises."""
    current = current or current_of(releases)
    coverages = coverages_of(current, period)
    of, inquiry = {coverage.dataset: coverage for coverage in coverages}, Inquiry(releases, current, deadline)
    findings = {
        i.name: Finding(counted(i, coverages)) if isinstance(i, Fact) else inquiry.find(i, of[i.dataset])
        for commitment in COMMITMENTS
        for i in commitment.indicators
    }
    return Report(period, coverages, findings)


def coverages_of(current: Current, period: ReportPeriod) -> tuple[Coverage, ...]:
    """What each dataset has of a period. Raises ReportNotCovered where none has anything."""
    found = tuple(coverage_of(name, period, releases) for name, releases in current.items())
    if not any(coverage.used for coverage in found):
        known = [str(period) for period in periods_with_releases(current)]
        raise ReportNotCovered(
            f"period={period}: nothing is released of it; there are reports of {', '.join(known) or 'no period'}",
            parameter="period",
            value=str(period),
            allowed=known,
        )
    return found


def periods_with_releases(current: Current) -> tuple[ReportPeriod, ...]:
    """Every period of which something is released."""
    return periods_of({Month.parse(r.manifest.month) for releases in current.values() for r in releases})


def _indicator(declared: Indicator | Fact, finding: Finding) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": declared.name,
        "title": declared.title,
        "law": declared.law,
        "unit": declared.unit,
        **finding.number.document(),
        "note": declared.note,
    }
    if isinstance(declared, Indicator):
        said |= {
            "dataset": declared.dataset,
            "question": finding.question,
            "releases": list(finding.releases),
            "change": _change(finding.change),
            "trend": [{"period": part.of, **part.number.document()} for part in finding.trend],
            "by": {"level": declared.by, "parts": [_part(part) for part in finding.by]}
            if declared.by
            else None,
        }
    return said


def _change(change: Change | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {"against": change.against, **change.number.document(), "sentence": change.sentence}


def _part(part: Part) -> dict[str, Any]:
    return {"code": part.of, "label": part.label, **part.number.document()}
