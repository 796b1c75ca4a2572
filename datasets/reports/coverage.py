"""Which releases a report rests on, and which months it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasets.period import Month
from datasets.release.answer.release import Release
from datasets.reports.period import ReportPeriod

Current = Mapping[str, tuple[Release, ...]]
"""The release of each month that is current, by dataset, as they were found at one instant."""


@dataclass(frozen=True)
class Coverage:
    """What there is of one dataset in a period.

    `used` are the releases that are added up: the longest run of months without a gap, the latest of several as long, so
    that every number of the report is the answer to a question that anybody may ask. `apart` are those beyond a gap.
    """

    dataset: str
    period: ReportPeriod
    used: tuple[Release, ...]
    apart: tuple[Release, ...] = ()

    @property
    def months(self) -> tuple[Month, ...]:
        """The months that are added up."""
        return tuple(_month(release) for release in self.used)

    @property
    def missing(self) -> tuple[Month, ...]:
        """The months of the period that are not added up."""
        return tuple(month for month in self.period.months if month not in self.months)

    @property
    def is_complete(self) -> bool:
        return not self.missing

    @property
    def span(self) -> str:
        """The months that are added up, as `period` of a question."""
        first, last = self.months[0], self.months[-1]
        return str(first) if first == last else f"{first}..{last}"

    def sentence(self) -> str:
        """What is said of the coverage in words."""
        if not self.used:
            return f"Nothing of {self.dataset} is released for {self.period}."
        if self.is_complete:
            return f"All of {self.period} is released."
        lacking = ", ".join(map(str, self.missing))
        beyond = (
            f" {_names(self.apart)} is released, but beyond a gap, and is not added up." if self.apart else ""
        )
        return f"The numbers are of {self.span}; {lacking} is not in them.{beyond}"

    def document(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "complete": self.is_complete,
            "months": [str(month) for month in self.months],
            "missing": [str(month) for month in self.missing],
            "releases": [release.name for release in self.used],
            "sentence": self.sentence(),
        }


def coverage_of(dataset: str, period: ReportPeriod, releases: Iterable[Release]) -> Coverage:
    """What these releases, the current ones of a dataset, cover of a period."""
    inside = [release for release in releases if _month(release) in period.months]
    runs = _runs(inside)
    if not runs:
        return Coverage(dataset, period, ())
    used = max(reversed(runs), key=len)
    return Coverage(dataset, period, tuple(used), tuple(r for r in inside if r not in used))


def run_up_to(releases: Iterable[Release], last: Month, most: int) -> tuple[Release, ...]:
    """The months without a gap that end with `last`, at most so many."""
    runs = [run for run in _runs([r for r in releases if _month(r) <= last]) if _month(run[-1]) == last]
    return tuple(runs[-1][-most:]) if runs else ()


def _runs(releases: Sequence[Release]) -> list[list[Release]]:
    """Releases of months that follow each other, under one version of the declaration."""
    runs: list[list[Release]] = []
    for release in sorted(releases, key=_month):
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and _month(last).next == _month(release)
            and last.manifest.dataset_version == release.manifest.dataset_version
        ):
            runs[-1].append(release)
        else:
            runs.append([release])
    return runs


def _month(release: Release) -> Month:
    return Month.parse(release.manifest.month)


def _names(releases: Iterable[Release]) -> str:
    return ", ".join(release.manifest.month for release in releases)
