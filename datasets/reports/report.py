"""The report on the commitments over a period: findings, gaps, and the releases that it uses."""

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
from datasets.reports.facts import count_fact
from datasets.reports.finding import ChangeFromPrevious, Finding, IndicatorQueries, LabelledNumber
from datasets.reports.number import STATUS
from datasets.reports.period import ReportPeriod, periods_of


class ReportNotCovered(Refusal):
    """No release covers any part of the period."""


@dataclass(frozen=True)
class Report:
    """The findings for every commitment over a period."""

    period: ReportPeriod
    coverages: tuple[Coverage, ...]
    findings: dict[str, Finding]

    def document(self) -> dict[str, Any]:
        """The report as a JSON document."""
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
            "indicators": [_indicator_document(i, self.findings[i.name]) for i in commitment.indicators],
            "gaps": list(commitment.gaps),
        }


def current_releases(releases: Releases) -> Current:
    """The current releases of every dataset."""
    return {dataset.name: releases.current(dataset.name) for dataset in DATASETS}


def build_report(
    releases: Releases, period: ReportPeriod, current: Current | None = None, deadline: Deadline | None = None
) -> Report:
    """The report of a period from the current releases. Raises ReportNotCovered, and what answering a question raises."""
    current = current or current_releases(releases)
    coverages = coverages_of(current, period)
    of, inquiry = (
        {coverage.dataset: coverage for coverage in coverages},
        IndicatorQueries(releases, current, deadline),
    )
    findings = {
        i.name: Finding(count_fact(i, coverages)) if isinstance(i, Fact) else inquiry.find(i, of[i.dataset])
        for commitment in COMMITMENTS
        for i in commitment.indicators
    }
    return Report(period, coverages, findings)


def coverages_of(current: Current, period: ReportPeriod) -> tuple[Coverage, ...]:
    """The coverage of a period by each dataset. Raises ReportNotCovered if no dataset covers any of it."""
    found = tuple(coverage_of(name, period, releases) for name, releases in current.items())
    if not any(coverage.used for coverage in found):
        known = [str(period) for period in periods_with_releases(current)]
        raise ReportNotCovered(
            f"period={period}: no release covers it; there are reports for {', '.join(known) or 'no period'}",
            parameter="period",
            value=str(period),
            allowed=known,
        )
    return found


def periods_with_releases(current: Current) -> tuple[ReportPeriod, ...]:
    """Every period that some release covers at least in part."""
    return periods_of({Month.parse(r.manifest.month) for releases in current.values() for r in releases})


def _indicator_document(declared: Indicator | Fact, finding: Finding) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": declared.name,
        "title": declared.title,
        "law": declared.law,
        "unit": declared.unit,
        **finding.number.document(),
        "note": declared.note,
    }
    if isinstance(declared, Indicator):
        document |= {
            "dataset": declared.dataset,
            "question": finding.question,
            "releases": list(finding.releases),
            "change": _change_document(finding.change),
            "trend": [{"period": part.of, **part.number.document()} for part in finding.trend],
            "by": {"level": declared.by, "parts": [_labelled_number_document(part) for part in finding.by]}
            if declared.by
            else None,
        }
    return document


def _change_document(change: ChangeFromPrevious | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {"against": change.against, **change.number.document(), "sentence": change.sentence}


def _labelled_number_document(part: LabelledNumber) -> dict[str, Any]:
    return {"code": part.of, "label": part.label, **part.number.document()}
