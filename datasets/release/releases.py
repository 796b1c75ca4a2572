"""Everything that is done with releases: find the current ones, ask them questions, explain what a question would give."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from datasets.release.answer.cursor import Cursors
from datasets.release.answer.deadline import Deadline
from datasets.release.answer.evaluation import Evaluation
from datasets.release.answer.explain import explain
from datasets.release.answer.release import Release
from datasets.release.answer.table import Result
from datasets.release.format.verification import Verify
from datasets.release.query.question import Question
from datasets.release.resolver import QuestionResolver
from datasets.release.store.store import ReleaseStore

QUERY_SECONDS = 10.0


class Releases:
    """The releases under a directory, and questions about them. Safe to use from several threads.

    Processes that share the key of `cursors` accept each other's cursors; those that share `cache_key` accept each
    other's serving copies in `cache`. Without `attach_copies`, the copy of a release is made when it is first asked.
    """

    def __init__(
        self,
        directory: Path,
        cache: Path,
        verify: Verify,
        datasets: tuple[str, ...],
        refresh_seconds: float = 1.0,
        cursors: Cursors | None = None,
        cache_key: bytes | None = None,
        attach_copies: bool = True,
    ) -> None:
        self.store = ReleaseStore(
            directory, cache, verify, datasets, refresh_seconds, cache_key, attach_copies
        )
        self.resolver = QuestionResolver(self.store)
        self.cursors = cursors or Cursors(secrets.token_bytes(32))

    def close(self) -> None:
        self.store.close()

    @property
    def degraded(self) -> tuple[str, ...]:
        """One sentence for each month that cannot be served as its pointer says. See ReleaseStore.degraded."""
        return self.store.degraded

    def current(self, dataset: str) -> tuple[Release, ...]:
        """The current release of each month, the earliest first."""
        return self.store.current(dataset)

    def find(self, dataset: str, name: str) -> Release:
        """The release of this name, or the latest month's for `latest`.

        Raises UnknownRelease, ReleaseWithdrawn, ReleaseDamaged.
        """
        return self.store.find(dataset, name)

    def question(self, dataset: str, parameters: Iterable[tuple[str, str]]) -> Question:
        """The question that these parameters ask of a dataset. Raises a Refusal that says what is wrong."""
        return self.resolver.parse(dataset, parameters)

    def ask(
        self,
        question: Question,
        deadline: Deadline | None = None,
        releases: Sequence[Release] | None = None,
    ) -> Result:
        """Answer a question, from these releases if given: a dense grid of values with their standard errors.

        Raises NotPublished if it is deeper than what is published, EmptyQuestion if its filters exclude each other,
        CursorRefused if its cursor belongs to another result, QuestionInterrupted if the deadline passes.
        """
        chosen = self._select_releases(question, releases)
        with deadline or Deadline(QUERY_SECONDS) as running:
            return Evaluation(self.store.connection, question, chosen, running, self.cursors).result()

    def explain(self, question: Question, releases: Sequence[Release] | None = None) -> dict[str, Any]:
        """What asking would give, without a number: rows, cuboids, promised standard errors, and coarser questions.

        Raises as `ask` does.
        """
        chosen = self._select_releases(question, releases)
        with Deadline(QUERY_SECONDS) as running:
            return explain(
                Evaluation(self.store.connection, question, chosen, running, self.cursors, dry_run=True)
            )

    def _select_releases(self, question: Question, releases: Sequence[Release] | None) -> tuple[Release, ...]:
        return tuple(releases or self.resolver.releases_for(question))
