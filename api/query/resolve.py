"""From parameters and names to a question and releases, which are opened in a thread if they are new to this process."""

from __future__ import annotations

import asyncio

from datasets.definition import Dataset
from datasets.period import MalformedPeriod
from datasets.release.answer.cursor import CursorRefused
from datasets.release.answer.grid import EmptyQuestion, NotPublished
from datasets.release.answer.release import Release
from datasets.release.format.errata import ReleaseWithdrawn
from datasets.release.format.verification import ReleaseDamaged, ReleaseUnavailable
from datasets.release.query.question import Question
from datasets.release.query.span import PeriodNotReleased
from datasets.release.query.vocabulary import MalformedQuestion, UnknownCode, UnknownLevel, UnknownMeasure
from datasets.release.releases import Releases
from datasets.release.resolver import MixedVersions
from datasets.release.store.store import UnknownRelease

RELEASE_REFUSALS = (UnknownRelease, ReleaseWithdrawn, ReleaseDamaged, ReleaseUnavailable)
"""What finding a release may raise."""
QUESTION_REFUSALS = (
    *RELEASE_REFUSALS, MalformedQuestion, UnknownMeasure, UnknownLevel, UnknownCode, MalformedPeriod, PeriodNotReleased,
    EmptyQuestion, CursorRefused, NotPublished, MixedVersions,
)  # fmt: skip
"""What a question may raise, beside what every query may."""


async def resolve_question(
    dataset: Dataset, parameters: tuple[tuple[str, str], ...], releases: Releases
) -> tuple[Question, tuple[Release, ...]]:
    """The question and its releases. The parameter `format` is not part of a question: it belongs to the API.

    Releases that may have to be opened first are opened in a thread, so that the event loop is not blocked. Raises a Refusal
    for parameters that are not right.
    """
    question_parameters = tuple((name, value) for name, value in parameters if name != "format")
    if releases.resolver.is_resolved_in_memory(dataset.name, question_parameters):
        return releases.resolver.resolve(dataset.name, question_parameters, ("format",))
    return await asyncio.to_thread(releases.resolver.resolve, dataset.name, question_parameters, ("format",))


async def find_release(releases: Releases, dataset: str, name: str) -> Release:
    """The release of this name, opened in a thread if it is new to this process.

    Raises UnknownRelease, ReleaseWithdrawn, ReleaseDamaged, ReleaseUnavailable.
    """
    if releases.store.is_open(dataset, name):
        return releases.find(dataset, name)
    return await asyncio.to_thread(releases.find, dataset, name)
