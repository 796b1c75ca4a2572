"""How a question is understood: from named parameters to a question and the releases that it is asked of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from threading import Lock

from cachetools import LRUCache

from datasets.refusal import Refusal
from datasets.release.answer.release import Release
from datasets.release.format.timestamps import stable_as_of
from datasets.release.format.verification import ReleaseUnavailable
from datasets.release.query.instant import format_instant, parse_as_of
from datasets.release.query.parsing import first_month, parse_question
from datasets.release.query.question import Question
from datasets.release.query.span import PeriodNotReleased
from datasets.release.query.vocabulary import MalformedQuestion
from datasets.release.store.store import LATEST, ReleaseStore, UnknownRelease

MAX_RESOLVED = 1000
"""Entries of the cache; each is at most as long as an address or a body may be."""

Parameters = tuple[tuple[str, str], ...]
Resolved = tuple[Question, tuple[Release, ...]]


class MixedVersions(Refusal):
    """A question over months whose datasets were declared in different versions: their numbers are never added up."""


class QuestionResolver:
    """Parses questions against the releases of a store. The latest results are kept in an LRU cache.

    The store's generation is part of the cache key, so a result is valid until something is released or withdrawn. Then
    the cache is cleared, so that it keeps no old releases in memory.
    Safe to use from several threads.
    """

    def __init__(self, store: ReleaseStore) -> None:
        self._store = store
        self._resolved: LRUCache[tuple[int, str, Parameters], Resolved] = LRUCache(MAX_RESOLVED)
        self._generation = store.generation
        self._lock = Lock()

    def resolve(self, dataset: str, parameters: Parameters, also: tuple[str, ...] = ()) -> Resolved:
        """A question and the releases that it is asked of. Raises as `parse` and `releases_for` do."""
        self._store.current(dataset)  # a store without a thread of its own looks for new releases here
        key = (generation := self._store.generation, dataset, parameters)
        with self._lock:
            if (
                generation > self._generation
            ):  # a thread may have read an older generation than the last one did
                self._resolved.clear()
                self._generation = generation
            resolved = self._resolved.get(key)
        if resolved is None:
            question = self.parse(dataset, parameters, also)
            resolved = question, self.releases_for(question)
            with self._lock:
                if generation == self._generation:  # otherwise no later look-up has this key
                    self._resolved[key] = resolved
        return resolved

    def is_resolved_in_memory(self, dataset: str, parameters: Parameters) -> bool:
        """Whether `resolve` opens no file: the question is of the current releases, or in the cache."""
        with self._lock:
            if (self._store.generation, dataset, parameters) in self._resolved:
                return True
        return not any(name in {"release", "as_of"} for name, _ in parameters)

    def parse(
        self, dataset: str, parameters: Iterable[tuple[str, str]], also: Iterable[str] = ()
    ) -> Question:
        """The question that these parameters ask of a dataset. Raises a Refusal that says what is wrong.

        `also` names parameters that the caller understands itself: they are suggested, but not accepted.
        """
        pairs = list(parameters)
        release, as_of = _single_value(pairs, "release"), _single_value(pairs, "as_of")
        if release is not None and as_of is not None:
            raise MalformedQuestion(
                "as_of says which releases are meant, and so does release; leave one of them out",
                parameter="as_of",
                value=as_of,
            )
        if release is not None and release != LATEST:
            found = self._store.find(dataset, release)
            return parse_question(pairs, found.codebook, (found.manifest.month,), found.name, also=also)
        if as_of is not None:
            return self._parse_as_of(dataset, pairs, as_of, also)
        return self._parse_current(dataset, pairs, also)

    def _parse_as_of(
        self, dataset: str, pairs: Sequence[tuple[str, str]], as_of: str, also: Iterable[str]
    ) -> Question:
        """A question of the releases that were current at an instant; some may have been withdrawn since."""
        history = self._store.history
        when = parse_as_of(as_of, stable_as_of(history.timestamps(dataset), datetime.now(UTC)))
        names = self._names_as_of(dataset, when)
        codebook = self._store.find(dataset, names[first_month(pairs, list(names))]).codebook
        return parse_question(pairs, codebook, list(names), as_of=when, also=also)

    def _parse_current(self, dataset: str, pairs: Sequence[tuple[str, str]], also: Iterable[str]) -> Question:
        current = self._store.current(dataset)
        if not current:
            raise self._nothing_released(dataset)
        by_month = {release.manifest.month: release for release in current}
        codebook = by_month[first_month(pairs, list(by_month))].codebook
        try:
            return parse_question(pairs, codebook, list(by_month), also=also)
        except PeriodNotReleased as refusal:
            self._store.ensure_months_not_withdrawn(dataset, tuple(map(str, refusal.missing)))
            raise

    def releases_for(self, question: Question) -> tuple[Release, ...]:
        """The releases that a question is asked of, in the order of their months.

        Raises UnknownRelease, ReleaseUnavailable, ReleaseWithdrawn, ReleaseDamaged, MixedVersions.
        """
        if question.release is not None:
            return (self._store.find(question.dataset, question.release),)
        by_month = self._releases_by_month(question)
        if any(str(month) not in by_month for month in question.months):
            raise ReleaseUnavailable("a release that this question needs has just been withdrawn; ask again")
        releases = tuple(by_month[str(month)] for month in question.months)
        _ensure_one_version(releases, question)
        return releases

    def _releases_by_month(self, question: Question) -> dict[str, Release]:
        dataset = question.dataset
        if question.as_of is None:
            return {release.manifest.month: release for release in self._store.current(dataset)}
        names = self._names_as_of(dataset, question.as_of)
        return {m: self._store.find(dataset, names[m]) for m in map(str, question.months) if m in names}

    def _names_as_of(self, dataset: str, when: datetime) -> dict[str, str]:
        """The release of each month that was current at an instant, the earliest month first."""
        names = self._store.history.current_at(dataset, when)
        if not names:
            raise UnknownRelease(
                f"nothing of {dataset} had been released at {format_instant(when)}",
                parameter="as_of",
                value=when.isoformat(),
            )
        return names

    def _nothing_released(self, dataset: str) -> Refusal:
        if self._store.has_problem(dataset):
            return ReleaseUnavailable(
                f"what was released of {dataset} cannot be served at the moment; ask again later"
            )
        for name in reversed(self._store.history.names(dataset)):
            self._store.ensure_not_withdrawn(dataset, name)
        return UnknownRelease(
            f"nothing of {dataset} has been released yet", parameter="dataset", value=dataset
        )


def _single_value(pairs: Sequence[tuple[str, str]], parameter: str) -> str | None:
    """The value of a parameter that is given once; the parser refuses one that is given more often."""
    values = [value for name, value in pairs if name == parameter]
    return values[0] if len(values) == 1 else None


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
