"""Reading releases: find, verify, open, and answer questions of them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import RLock
from typing import Any

import duckdb
import numpy as np

from datasets.period import Month
from datasets.refusal import Refusal, nearest, shown
from datasets.release import layout
from datasets.release.answer import Answer, Measured, columns_of, rows_of
from datasets.release.grid import Grid, grid_of
from datasets.release.manifest import Manifest
from datasets.release.opened import Release, open_release
from datasets.release.question import Question, parse_question
from datasets.release.shelf import Deadline, let_go
from datasets.release.uncertainty import CONFIDENCE, COVERS, STATUS
from datasets.release.verification import ReleaseDamaged, Verify

log = logging.getLogger("daylight.release")

LATEST = "latest"
SECONDS = 10.0


class UnknownRelease(Refusal):
    """A release that does not exist."""


class ReleaseUnavailable(Refusal):
    """What was released cannot be served at the moment: it is damaged, and no good one was seen before it."""


class MixedVersions(Refusal):
    """A question over months whose declarations differ: they are never pooled in silence."""


@dataclass
class _Month:
    """What a month's pointer last said, the last release behind it that was good, and what the files looked like."""

    pointer: str
    traces: tuple[tuple[str, int, int], ...] = ()
    release: Release | None = None
    trouble: str = ""


@dataclass
class Releases:
    """The releases under a directory. Asking is safe from several threads at once.

    Anything wrong with a release leaves the last good one of its month in place and a sentence in `degraded`.
    `refreshed` seconds may pass before a new release is noticed.
    """

    directory: Path
    cache: Path
    verify: Verify
    datasets: tuple[str, ...]
    refreshed: float = 1.0
    _months: dict[tuple[str, str], _Month] = field(default_factory=dict)
    _named: dict[tuple[str, str], Release] = field(default_factory=dict)
    _looked: float = -1e9

    def __post_init__(self) -> None:
        self._lock = RLock()
        self._con = duckdb.connect(config={"threads": 1, "enable_external_access": True})
        self.refresh()

    def close(self) -> None:
        with self._lock:
            let_go(self._con)

    @property
    def degraded(self) -> tuple[str, ...]:
        """One sentence for each month that cannot be served as its pointer says."""
        return tuple(month.trouble for month in self._months.values() if month.trouble)

    def refresh(self) -> None:
        """Look at the pointers, and verify and open what they newly point to."""
        with self._lock:
            self._looked = time.monotonic()
            for dataset in self.datasets:
                known = {month for name, month in self._months if name == dataset}
                for month in sorted(known.union(layout.released_months(self.directory, dataset))):
                    self._look(dataset, month)

    def _look(self, dataset: str, month: str) -> None:
        pointer = _read(layout.pointer_file(self.directory, dataset, month))
        known = self._months.get((dataset, month))
        traces = (
            layout.traces(layout.release_folder(self.directory, dataset, pointer)) if _names(pointer) else ()
        )
        if known is not None and known.pointer == pointer and (not known.trouble or known.traces == traces):
            return
        seen = _Month(pointer, traces, known.release if known else None)
        try:
            if not _names(pointer) or not pointer.startswith(f"{month}."):
                raise ReleaseDamaged("its pointer is missing, a link, or names no release of that month")
            seen.release = self._opened(dataset, pointer)
        except (Refusal, OSError, ValueError, duckdb.Error) as error:
            reason = error.sentence if isinstance(error, Refusal) else type(error).__name__
            seen.trouble = f"{dataset} {month}: {reason}"
            log.warning("serving what was good before: %s", seen.trouble)
        self._months[(dataset, month)] = seen

    def _opened(self, dataset: str, name: str) -> Release:
        if (dataset, name) not in self._named:
            folder = layout.release_folder(self.directory, dataset, name)
            self._named[(dataset, name)] = open_release(self._con, folder, self.verify, self.cache)
        return self._named[(dataset, name)]

    def current(self, dataset: str) -> tuple[Release, ...]:
        """The current release of each month, the earliest first."""
        with self._lock:
            if time.monotonic() - self._looked > self.refreshed:
                self.refresh()
            found = sorted(
                (month, seen.release)
                for (name, month), seen in self._months.items()
                if name == dataset and seen.release
            )
            return tuple(release for _, release in found if release is not None)

    def find(self, dataset: str, name: str) -> Release:
        """The release of this name, or the latest month's for `latest`. Raises UnknownRelease, ReleaseDamaged."""
        current = self.current(dataset)
        names = layout.release_names(self.directory, dataset)
        if name == LATEST and current:
            return current[-1]
        if name not in names:
            allowed = [LATEST, *names] if current else list(names)
            raise UnknownRelease(
                f"release={shown(name)} of {dataset} does not exist; there are {', '.join(names[-6:]) or 'none'}",
                parameter="release",
                value=name,
                allowed=allowed,
                suggestions=nearest(name, names),
            )
        with self._lock:
            return self._opened(dataset, name)

    def question(
        self, dataset: str, parameters: Iterable[tuple[str, str]], also: Iterable[str] = ()
    ) -> Question:
        """The question that named values ask of a dataset. Raises a Refusal for anything that is not right, whose
        suggestions include the words of `also`, which the caller understands itself."""
        pairs = list(parameters)
        asked = [value for name, value in pairs if name == "release"]
        if len(asked) == 1 and asked[0] != LATEST:
            release = self.find(dataset, asked[0])
            return parse_question(pairs, release.codebook, (release.manifest.month,), release.name, also)
        current = self.current(dataset)
        if not current:
            raise self._nothing(dataset)
        return parse_question(
            pairs, current[-1].codebook, [release.manifest.month for release in current], also=also
        )

    def _nothing(self, dataset: str) -> Refusal:
        if any(name == dataset for name, _ in self._months):
            return ReleaseUnavailable(
                f"what was released of {dataset} cannot be served at the moment; ask again later"
            )
        return UnknownRelease(
            f"nothing of {dataset} has been released yet", parameter="dataset", value=dataset
        )

    def asked_of(self, question: Question) -> tuple[Release, ...]:
        """The releases that a question asks, in the order of their months."""
        if question.release is not None:
            return (self.find(question.dataset, question.release),)
        by_month = {release.manifest.month: release for release in self.current(question.dataset)}
        asked = tuple(by_month[str(month)] for month in question.span.months)
        _ensure_one_version(asked, question)
        return asked

    def ask(self, question: Question, deadline: Deadline | None = None) -> Answer:
        """Answer a question: a dense grid of values with exact standard errors.

        Raises NotPublished where it is deeper than what is published, EmptyQuestion where its filters exclude each
        other, QuestionInterrupted when the deadline is over.
        """
        releases = self.asked_of(question)
        with deadline or Deadline(SECONDS) as running:
            return _Asking(self._con, question, releases, running).answer()


@dataclass
class _Asking:
    """One question being answered."""

    con: duckdb.DuckDBPyConnection
    question: Question
    releases: tuple[Release, ...]
    deadline: Deadline
    cuboids: dict[str, str] = field(default_factory=dict)

    def answer(self) -> Answer:
        by_month = {Month.parse(release.manifest.month): release for release in self.releases}
        rows: list[tuple[Any, ...]] = []
        if self.question.span.freq == "day":
            for month, days in self.question.span.by_month():
                codes, measured = self._grid(by_month[month], days, by_day=True)
                for at, day in enumerate(days):
                    slices = {name: _at(m, at) for name, m in measured.items()}
                    rows += rows_of(day.isoformat(), codes, slices)
        else:
            for period in self.question.periods:
                parts = [self._grid(by_month[month], days, by_day=False) for month, days in period.parts]
                rows += rows_of(period.label, parts[0][0], _added([measured for _, measured in parts]))
        return Answer(columns_of(self.question), rows, self._meta(len(rows)))

    def _grid(
        self, release: Release, days: tuple[date, ...], *, by_day: bool
    ) -> tuple[list[list[str]], dict[str, Measured]]:
        """The codes along each grouped level, and each measure; the day is the first dimension where `by_day`."""
        grid = grid_of(self.question, release.codebook, days, by_day=by_day)
        by_cuboid: dict[str, list[str]] = {}
        for name in self.question.measures:
            by_cuboid.setdefault(grid.cuboid(release.measures[name]), []).append(name)
        order = _order(grid, self.question, by_day=by_day)
        measured: dict[str, Measured] = {}
        for cuboid, names in by_cuboid.items():
            values = release.shelf.values(self.con, grid, cuboid, tuple(names), self.deadline)
            for name in names:
                self.cuboids[name] = cuboid
                square = release.measures[name].variance(grid.factors).reshape(values[name].shape)
                error = np.sqrt(square).transpose(order)
                unknown = np.broadcast_to(_uncollected(grid, release.manifest, name), values[name].shape)
                measured[name] = Measured(values[name].transpose(order), error, unknown.transpose(order))
        return _codes(grid, self.question), {name: measured[name] for name in self.question.measures}

    def _meta(self, number: int) -> dict[str, Any]:
        names = [release.name for release in self.releases]
        newest = self.releases[-1].manifest
        return {
            "dataset": self.question.dataset,
            "releases": names,
            "query": self.question.canonical(),
            "query_id": self.question.id(names),
            "cuboid": {name: self.cuboids[name] for name in self.question.measures},
            "uncertainty": {
                "mechanism": newest.privacy.mechanism,
                "confidence": CONFIDENCE,
                "covers": COVERS,
                "status": STATUS,
            },
            "bounding": {name: _bounding(newest, name) for name in self.question.measures},
            "page": {"returned": number, "total": number, "truncated": False, "next": None},
            "warnings": [note for release in self.releases for note in release.manifest.source.notes],
        }


def _read(pointer: Path) -> str:
    """What a pointer says; empty where it is missing or a link, which is not followed."""
    try:
        with open(os.open(pointer, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:  # noqa: PTH123  a descriptor, no path
            return file.read(64).decode("ascii", "replace").strip()
    except OSError:
        return ""


def _names(pointer: str) -> bool:
    return layout.RELEASE_NAME.fullmatch(pointer) is not None


def _ensure_one_version(releases: tuple[Release, ...], question: Question) -> None:
    first = releases[0].manifest
    for release in releases[1:]:
        other = release.manifest
        if other.dataset_version != first.dataset_version:
            raise MixedVersions(
                f"{first.month} is of version {first.dataset_version} of {first.dataset}, {other.month} of version "
                f"{other.dataset_version}; ask for them one at a time",
                parameter="period",
                value=str(question.span),
            )


def _bounding(manifest: Manifest, name: str) -> dict[str, Any]:
    entry = manifest.by_measure[name]
    kept = entry.kept
    return {
        "rows_per_unit": entry.rows_per_unit,
        "kept": None
        if kept is None
        else {"against_rows_per_unit": kept.rows_per_unit, **kept.overall.model_dump()},
    }


def _grouped(grid: Grid) -> list[int]:
    return [at for at, asked in enumerate(grid.asked) if asked is not None and asked.groups is not None]


def _order(grid: Grid, question: Question, *, by_day: bool) -> list[int]:
    """How the grid's dimensions, in the dataset's order, become the day (if asked) and then the order asked."""
    places, along = grid.codebook.places, _grouped(grid)
    days = [at for at in along if grid.codebook.dimensions[at].levels[0].unknown is None] if by_day else []
    wanted = [*days, *(places[name][0] for name in question.group_by)]
    return [along.index(at) for at in wanted]


def _codes(grid: Grid, question: Question) -> list[list[str]]:
    codes = []
    for name in question.group_by:
        asked = grid.asked[grid.codebook.places[name][0]]
        assert asked is not None
        assert asked.groups is not None
        entries = grid.codebook.levels[name].codes
        codes.append([entries[position].code for position in asked.groups])
    return codes


def _uncollected(grid: Grid, manifest: Manifest, measure: str) -> np.ndarray:
    """Which output cells ask a level that the source does not know, other than by its code for the unknown."""
    entry = grid.codebook.measure(measure)
    missing = set(manifest.source.not_collected_values)
    marked = np.zeros((), dtype=np.bool_) | (entry.where in missing) | (entry.value in missing)
    for dimension, asked in zip(grid.codebook.dimensions, grid.asked, strict=True):
        if asked is None:
            continue
        level = dimension.levels[asked.level - 1]
        if level.name in manifest.source.not_collected and level.unknown is not None:
            cells = asked.weights[:, level.index[level.unknown]] == 0
        else:
            cells = np.zeros(len(asked.weights), dtype=np.bool_)
        marked = np.logical_or.outer(marked, cells) if asked.groups is not None else marked | cells[0]
    return np.asarray(marked)


def _at(measured: Measured, at: int) -> Measured:
    return Measured(measured.values[at], measured.errors[at], measured.uncollected[at])


def _added(parts: list[dict[str, Measured]]) -> dict[str, Measured]:
    """The sum over parts of a period; noise of different releases is independent, so variances add."""
    if len(parts) == 1:
        return parts[0]
    return {
        name: Measured(
            np.sum([part[name].values for part in parts], axis=0),
            np.sqrt(np.sum([part[name].errors ** 2 for part in parts], axis=0)),
            np.any([part[name].uncollected for part in parts], axis=0),
        )
        for name in parts[0]
    }
