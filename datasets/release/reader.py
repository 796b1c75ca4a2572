"""Reading releases: find, verify, open, and answer questions of them."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

import duckdb

from datasets.refusal import Refusal, nearest, shown
from datasets.release import layout
from datasets.release.answer import Answer
from datasets.release.archive import Archive
from datasets.release.asking import Asking
from datasets.release.cursor import Cursors
from datasets.release.errata import ReleaseWithdrawn
from datasets.release.opened import Release, open_release
from datasets.release.plan import plan_of
from datasets.release.query.parsing import parse_as_of, parse_question
from datasets.release.query.question import Question
from datasets.release.query.span import PeriodNotReleased
from datasets.release.query.words import MalformedQuestion
from datasets.release.shelf import Deadline, let_go
from datasets.release.verification import ReleaseDamaged, Verify

log = logging.getLogger("daylight.release")

LATEST = "latest"
SECONDS = 10.0
MOST_UNDERSTOOD = 1000
"""Questions that are kept understood; each is at most as long as an address or a body may be."""


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
    withdrawn: frozenset[str] = frozenset()


@dataclass
class Releases:
    """The releases under a directory. Asking is safe from several threads at once.

    Anything wrong with a release leaves the last good one of its month in place and a sentence in `degraded`.
    `refreshed` seconds may pass before a new release is noticed. Processes that share the key of `cursors` understand each
    other's.
    """

    directory: Path
    cache: Path
    verify: Verify
    datasets: tuple[str, ...]
    refreshed: float = 1.0
    cursors: Cursors = field(default_factory=lambda: Cursors(secrets.token_bytes(32)))
    _months: dict[tuple[str, str], _Month] = field(default_factory=dict)
    _named: dict[tuple[str, str], Release] = field(default_factory=dict)
    _looked: float = -1e9

    def __post_init__(self) -> None:
        self._lock = RLock()
        self.archive = Archive(self.directory, self.verify)
        self._understood: OrderedDict[object, tuple[Question, tuple[Release, ...]]] = OrderedDict()
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
        withdrawn = layout.withdrawn(self.directory, dataset, month)
        if (
            known is not None
            and (known.pointer, known.withdrawn) == (pointer, withdrawn)
            and (not known.trouble or known.traces == traces)
        ):
            return
        last = known.release if known and known.release and known.release.name not in withdrawn else None
        seen = _Month(pointer, traces, last, withdrawn=withdrawn)
        try:
            if not pointer and last is None and withdrawn:  # nothing is left of this month, as was meant
                self._saw(dataset, month, seen)
                return
            if not _names(pointer) or not pointer.startswith(f"{month}."):
                raise ReleaseDamaged("its pointer is missing, a link, or names no release of that month")
            seen.release = self._opened(dataset, pointer)
        except ReleaseWithdrawn:
            seen.release = None
        except (Refusal, OSError, ValueError, duckdb.Error) as error:
            reason = error.sentence if isinstance(error, Refusal) else type(error).__name__
            seen.trouble = f"{dataset} {month}: {reason}"
            log.warning("serving what was good before: %s", seen.trouble)
        self._saw(dataset, month, seen)

    def _saw(self, dataset: str, month: str, seen: _Month) -> None:
        self._months[(dataset, month)] = seen
        self._understood.clear()

    def _opened(self, dataset: str, name: str) -> Release:
        """The release of this name, verified. Raises ReleaseWithdrawn, ReleaseDamaged."""
        self._ensure_not_withdrawn(dataset, name)
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

    def _ensure_not_withdrawn(self, dataset: str, name: str) -> None:
        erratum = self.archive.erratum(dataset, name)
        if erratum is not None:
            raise ReleaseWithdrawn(
                erratum, _read(layout.pointer_file(self.directory, dataset, erratum.month))
            )

    def find(self, dataset: str, name: str) -> Release:
        """The release of this name, or the latest month's for `latest`.

        Raises UnknownRelease, ReleaseWithdrawn, ReleaseDamaged.
        """
        current = self.current(dataset)
        names = self.archive.names(dataset)
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

    def _names_as_of(self, dataset: str, when: datetime) -> dict[str, str]:
        """The release of each month that was current at an instant, the earliest month first. Raises UnknownRelease."""
        names = self.archive.current_at(dataset, when)
        if not names:
            raise UnknownRelease(
                f"nothing of {dataset} had been released at {when:%Y-%m-%dT%H:%M:%SZ}",
                parameter="as_of",
                value=when.isoformat(),
            )
        return names

    def _question_as_of(
        self, dataset: str, pairs: Sequence[tuple[str, str]], when: datetime, also: Iterable[str]
    ) -> Question:
        """A question of the releases that were current at an instant, some of which may have been withdrawn since."""
        names = self._names_as_of(dataset, when)
        newest = next((n for n in reversed(names.values()) if self.archive.erratum(dataset, n) is None), None)
        book = self.find(dataset, newest or next(reversed(names.values()))).codebook
        return parse_question(pairs, book, list(names), as_of=when, also=also)

    def ensure_served(self, releases: Sequence[Release]) -> None:
        """Raises ReleaseWithdrawn where one of them has been withdrawn, however short a time ago."""
        for release in releases:
            self._ensure_not_withdrawn(release.manifest.dataset, release.name)

    def question(
        self, dataset: str, parameters: Iterable[tuple[str, str]], also: Iterable[str] = ()
    ) -> Question:
        """The question that named values ask of a dataset. Raises a Refusal for anything that is not right, whose
        suggestions include the words of `also`, which the caller understands itself."""
        pairs = list(parameters)
        named = _only(pairs, "release")
        past = _only(pairs, "as_of")
        if named is not None and past is not None:
            raise MalformedQuestion(
                "as_of says which releases are meant, and so does release; leave one of them out",
                parameter="as_of",
                value=past,
            )
        if named is not None and named != LATEST:
            release = self.find(dataset, named)
            return parse_question(pairs, release.codebook, (release.manifest.month,), release.name, also=also)
        if past is not None:
            return self._question_as_of(dataset, pairs, parse_as_of(past, datetime.now(UTC)), also)
        current = self.current(dataset)
        if not current:
            raise self._nothing(dataset)
        months = [release.manifest.month for release in current]
        try:
            return parse_question(pairs, current[-1].codebook, months, also=also)
        except PeriodNotReleased as refusal:
            self._ensure_none_withdrawn(dataset, tuple(map(str, refusal.missing)))
            raise

    def understood(
        self, dataset: str, parameters: tuple[tuple[str, str], ...], also: tuple[str, ...] = ()
    ) -> tuple[Question, tuple[Release, ...]]:
        """A question and the releases that it asks, as `question` and `asked_of` give them; understood once, until something
        is released or withdrawn."""
        self.current(dataset)  # looks whether anything was
        key = (dataset, parameters)
        with self._lock:
            found = self._understood.get(key)
        if found is None:
            question = self.question(dataset, parameters, also)
            found = question, self.asked_of(question)
            with self._lock:
                self._understood[key] = found
                if len(self._understood) > MOST_UNDERSTOOD:
                    self._understood.popitem(last=False)
        return found

    def _ensure_none_withdrawn(self, dataset: str, months: tuple[str, ...]) -> None:
        """Say of a month that is not released that it was withdrawn, where it was."""
        for name in reversed(self.archive.names(dataset)):
            if name.split(".")[0] in months:
                self._ensure_not_withdrawn(dataset, name)

    def _nothing(self, dataset: str) -> Refusal:
        if any(name == dataset and month.trouble for (name, _), month in self._months.items()):
            return ReleaseUnavailable(
                f"what was released of {dataset} cannot be served at the moment; ask again later"
            )
        for name in reversed(self.archive.names(dataset)):
            self._ensure_not_withdrawn(dataset, name)
        return UnknownRelease(
            f"nothing of {dataset} has been released yet", parameter="dataset", value=dataset
        )

    def asked_of(self, question: Question) -> tuple[Release, ...]:
        """The releases that a question asks, in the order of their months."""
        if question.release is not None:
            return (self.find(question.dataset, question.release),)
        if question.as_of is not None:
            names = self._names_as_of(question.dataset, question.as_of)
            by_month = {
                m: self.find(question.dataset, names[m]) for m in map(str, question.months) if m in names
            }
        else:
            by_month = {release.manifest.month: release for release in self.current(question.dataset)}
        if any(str(month) not in by_month for month in question.months):
            raise ReleaseUnavailable("what is asked has just been withdrawn; ask again")
        asked = tuple(by_month[str(month)] for month in question.months)
        _ensure_one_version(asked, question)
        return asked

    def ask(
        self,
        question: Question,
        deadline: Deadline | None = None,
        releases: Sequence[Release] | None = None,
    ) -> Answer:
        """Answer a question, of these releases if they are known: a dense grid of values with exact standard errors.

        Raises NotPublished where it is deeper than what is published, EmptyQuestion where its filters exclude each
        other, CursorRefused where its cursor is not of these pages, QuestionInterrupted when the deadline is over.
        """
        asked = tuple(releases or self.asked_of(question))
        with deadline or Deadline(SECONDS) as running:
            return Asking(self._con, question, asked, running, self.cursors).answer()

    def plan(self, question: Question, releases: Sequence[Release] | None = None) -> dict[str, Any]:
        """What asking would give, without a number: rows, cuboids, promised standard errors, and what else could be asked.
        Raises as `ask` does."""
        asked = tuple(releases or self.asked_of(question))
        with Deadline(SECONDS) as running:
            return plan_of(Asking(self._con, question, asked, running, self.cursors, dry=True))


def _only(pairs: Sequence[tuple[str, str]], word: str) -> str | None:
    """The value of a word that stands once; the parser says what is wrong with one that stands more often."""
    found = [value for name, value in pairs if name == word]
    return found[0] if len(found) == 1 else None


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
