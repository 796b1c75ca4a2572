"""Reading releases: find, verify, open, and answer questions of them."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from datasets.refusal import Refusal, nearest, printable
from datasets.release.answer.cursor import Cursors
from datasets.release.answer.deadline import Deadline
from datasets.release.answer.evaluation import Evaluation
from datasets.release.answer.explain import explain
from datasets.release.answer.release import Release
from datasets.release.answer.table import Result
from datasets.release.format.timestamps import stable_as_of
from datasets.release.query.parsing import parse_as_of, parse_question
from datasets.release.query.question import Question
from datasets.release.query.span import PeriodNotReleased
from datasets.release.query.vocabulary import MalformedQuestion
from datasets.release.store.store import ReleaseStore

LATEST = "latest"
QUERY_SECONDS = 10.0
MAX_RESOLVED = 1000
"""Questions that are kept understood; each is at most as long as an address or a body may be."""


class UnknownRelease(Refusal):
    """A release that does not exist."""


class ReleaseUnavailable(Refusal):
    """What was released cannot be served at the moment: it is damaged, and no good one was seen before it."""


class MixedVersions(Refusal):
    """A question over months whose declarations differ: they are never pooled in silence."""


@dataclass
class Releases(ReleaseStore):
    """The releases under a directory, and questions about them. Asking is safe from several threads at once.

    Processes that share the key of `cursors` understand each other's.
    """

    cursors: Cursors = field(default_factory=lambda: Cursors(secrets.token_bytes(32)))

    def __post_init__(self) -> None:
        self._understood: OrderedDict[object, tuple[Question, tuple[Release, ...]]] = OrderedDict()
        self._generation = 0
        super().__post_init__()

    def _changed(self) -> None:
        self._generation += 1
        self._understood.clear()

    def find(self, dataset: str, name: str) -> Release:
        """The release of this name, or the latest month's for `latest`.

        Raises UnknownRelease, ReleaseWithdrawn, ReleaseDamaged.
        """
        current = self.current(dataset)
        names = self.history.names(dataset)
        if name == LATEST and current:
            return current[-1]
        if name not in names:
            allowed = [LATEST, *names] if current else list(names)
            raise UnknownRelease(
                f"release={printable(name)} of {dataset} does not exist; there are {', '.join(names[-6:]) or 'none'}",
                parameter="release",
                value=name,
                allowed=allowed,
                suggestions=nearest(name, names),
            )
        return self.open(dataset, name)

    def _settled(self, dataset: str) -> datetime:
        """The last instant whose current releases are what they will always have been."""
        return stable_as_of(self.history.timestamps(dataset), datetime.now(UTC))

    def _names_as_of(self, dataset: str, when: datetime) -> dict[str, str]:
        """The release of each month that was current at an instant, the earliest month first. Raises UnknownRelease."""
        names = self.history.current_at(dataset, when)
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
        newest = next((n for n in reversed(names.values()) if self.history.erratum(dataset, n) is None), None)
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
            return self._question_as_of(dataset, pairs, parse_as_of(past, self._settled(dataset)), also)
        current = self.current(dataset)
        if not current:
            raise self._nothing(dataset)
        months = [release.manifest.month for release in current]
        try:
            return parse_question(pairs, current[-1].codebook, months, also=also)
        except PeriodNotReleased as refusal:
            self.ensure_none_withdrawn(dataset, tuple(map(str, refusal.missing)))
            raise

    def is_resolved_in_memory(self, dataset: str, parameters: tuple[tuple[str, str], ...]) -> bool:
        """Whether `understood` opens nothing: a question of the current releases, or one that was understood before."""
        with self._lock:
            if (dataset, parameters) in self._understood:
                return True
        return not any(name in {"release", "as_of"} for name, _ in parameters)

    def resolve(
        self, dataset: str, parameters: tuple[tuple[str, str], ...], also: tuple[str, ...] = ()
    ) -> tuple[Question, tuple[Release, ...]]:
        """A question and the releases that it asks, as `question` and `asked_of` give them; understood once, until something
        is released or withdrawn."""
        self.current(dataset)  # looks whether anything was
        key = (dataset, parameters)
        with self._lock:
            found, generation = self._understood.get(key), self._generation
        if found is None:
            question = self.question(dataset, parameters, also)
            found = question, self.releases_for(question)
            with self._lock:
                if (
                    generation == self._generation
                ):  # otherwise it may be of releases that are no longer current
                    self._understood[key] = found
                if len(self._understood) > MAX_RESOLVED:
                    self._understood.popitem(last=False)
        return found

    def _nothing(self, dataset: str) -> Refusal:
        if self._is_troubled(dataset):
            return ReleaseUnavailable(
                f"what was released of {dataset} cannot be served at the moment; ask again later"
            )
        for name in reversed(self.history.names(dataset)):
            self._ensure_not_withdrawn(dataset, name)
        return UnknownRelease(
            f"nothing of {dataset} has been released yet", parameter="dataset", value=dataset
        )

    def releases_for(self, question: Question) -> tuple[Release, ...]:
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
    ) -> Result:
        """Answer a question, of these releases if they are known: a dense grid of values with exact standard errors.

        Raises NotPublished where it is deeper than what is published, EmptyQuestion where its filters exclude each
        other, CursorRefused where its cursor is not of these pages, QuestionInterrupted when the deadline is over.
        """
        asked = tuple(releases or self.releases_for(question))
        with deadline or Deadline(QUERY_SECONDS) as running:
            return Evaluation(self._con, question, asked, running, self.cursors).result()

    def explain(self, question: Question, releases: Sequence[Release] | None = None) -> dict[str, Any]:
        """What asking would give, without a number: rows, cuboids, promised standard errors, and what else could be asked.
        Raises as `ask` does."""
        asked = tuple(releases or self.releases_for(question))
        with Deadline(QUERY_SECONDS) as running:
            return explain(Evaluation(self._con, question, asked, running, self.cursors, dry_run=True))


def _only(pairs: Sequence[tuple[str, str]], word: str) -> str | None:
    """The value of a word that stands once; the parser says what is wrong with one that stands more often."""
    found = [value for name, value in pairs if name == word]
    return found[0] if len(found) == 1 else None


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
