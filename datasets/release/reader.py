"""Reading releases: find, verify, open, and answer questions of them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any

import duckdb

from datasets.refusal import Refusal, nearest, shown
from datasets.release import layout
from datasets.release.answer import Answer
from datasets.release.asking import Asking
from datasets.release.opened import Release, open_release
from datasets.release.question import Question, parse_question
from datasets.release.shelf import Deadline, let_go
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
            return Asking(self._con, question, releases, running).answer()

    def plan(self, question: Question) -> dict[str, Any]:
        """What asking would give, without a number: rows, cuboids and promised standard errors. Raises as `ask` does."""
        releases = self.asked_of(question)
        with Deadline(SECONDS) as running:
            return Asking(self._con, question, releases, running, dry=True).plan()


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
