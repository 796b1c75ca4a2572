"""Which releases a report uses, and which months of its period are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasets.period import Month
from datasets.release.answer.release import Release
from datasets.reports.period import ReportPeriod

Current = Mapping[str, tuple[Release, ...]]
"""The current release of each month, by dataset, all read at the same instant."""


@dataclass(frozen=True)
class Coverage:
    """The releases of one dataset in a period.

    `used` are the releases that are summed: the longest run of consecutive months, and of several equally long runs the
    latest, so that every number of the report is the answer to a question that anyone may ask. `apart` are the releases
    outside that run.
    """

    dataset: str
    period: ReportPeriod
    used: tuple[Release, ...]
    apart: tuple[Release, ...] = ()

    @property
    def months(self) -> tuple[Month, ...]:
        """The months that are summed."""
        return tuple(_month(release) for release in self.used)

    @property
    def missing(self) -> tuple[Month, ...]:
        """The months of the period that are not summed."""
        return tuple(month for month in self.period.months if month not in self.months)

    @property
    def is_complete(self) -> bool:
        return not self.missing

    @property
    def span(self) -> str:
        """The months that are summed, as the parameter `period` of a question."""
        first, last = self.months[0], self.months[-1]
        return str(first) if first == last else f"{first}..{last}"

    def sentence(self) -> str:
        """The coverage as a sentence."""
        if not self.used:
            return f"No release of {self.dataset} covers {self.period}."
        if self.is_complete:
            return f"Releases cover all of {self.period}."
        lacking = ", ".join(map(str, self.missing))
        beyond = (
            f" {_month_list(self.apart)} is released, but not consecutive with these months, and is left out."
            if self.apart
            else ""
        )
        return f"The numbers cover {self.span}; {lacking} is missing.{beyond}"

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
    """Which part of a period is covered by these releases, the current ones of a dataset."""
    inside = [release for release in releases if _month(release) in period.months]
    runs = _runs(inside)
    if not runs:
        return Coverage(dataset, period, ())
    used = max(reversed(runs), key=len)
    return Coverage(dataset, period, tuple(used), tuple(r for r in inside if r not in used))


def latest_run(releases: Iterable[Release], last: Month, most: int) -> tuple[Release, ...]:
    """The consecutive months that end with `last`, at most `most` of them."""
    runs = [run for run in _runs([r for r in releases if _month(r) <= last]) if _month(run[-1]) == last]
    return tuple(runs[-1][-most:]) if runs else ()


def _runs(releases: Sequence[Release]) -> list[list[Release]]:
    """Groups of releases of consecutive months with the same version of the declaration."""
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


def _month_list(releases: Iterable[Release]) -> str:
    return ", ".join(release.manifest.month for release in releases)
