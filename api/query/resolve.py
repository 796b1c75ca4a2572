"""From parameters and names to a question and releases, which are opened in a thread if they are new to this process."""

from __future__ import annotations

import asyncio

from datasets.definition import Dataset
from datasets.release.answer.release import Release
from datasets.release.query.question import Question
from datasets.release.releases import Releases


async def parse_question(
    dataset: Dataset, parameters: tuple[tuple[str, str], ...], releases: Releases
) -> tuple[Question, tuple[Release, ...]]:
    """What is asked, apart from the format, which is the API's own word, and of which releases.

    What may have to be opened first is opened beside the event loop, so that nobody else waits. Raises a Refusal for what
    is not right.
    """
    words = tuple((name, value) for name, value in parameters if name != "format")
    if releases.resolver.is_resolved_in_memory(dataset.name, words):
        return releases.resolver.resolve(dataset.name, words, ("format",))
    return await asyncio.to_thread(releases.resolver.resolve, dataset.name, words, ("format",))


async def find_release(releases: Releases, dataset: str, name: str) -> Release:
    """The release of this name, opened beside the event loop where it is new to this process.

    Raises UnknownRelease, ReleaseWithdrawn, ReleaseDamaged.
    """
    if releases.store.is_open(dataset, name):
        return releases.find(dataset, name)
    return await asyncio.to_thread(releases.find, dataset, name)
