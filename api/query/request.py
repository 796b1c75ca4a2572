"""The question of a request: from its address or its body, where the token may read the dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.dependencies import find_granted_dataset, parameters_of, parse_question
from api.http.negotiation import chosen_format
from api.query.body import parameters_of_body
from datasets.definition import Dataset
from datasets.release.answer.release import Release
from datasets.release.query.question import Question
from datasets.release.releases import Releases


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the releases that it asks, and the format of its answer."""

    question: Question
    of: tuple[Release, ...]
    format: str
    releases: Releases
    current: tuple[Release, ...]
    """The current releases of its dataset before it was understood."""


async def asked_by_address(request: Request, dataset: str) -> Asked:
    """The question in the address. Raises UnknownDataset, OutOfScope, and a Refusal for what is not right."""
    return await _asked(request, find_granted_dataset(request, dataset), await parameters_of(request))


async def asked_by_body(request: Request, dataset: str) -> Asked:
    """The question in the body. Raises as `asked_by_address`, and TooLarge, Malformed for a body that is none."""
    found = find_granted_dataset(request, dataset)
    return await _asked(request, found, await parameters_of_body(request))


async def _asked(request: Request, dataset: Dataset, parameters: tuple[tuple[str, str], ...]) -> Asked:
    format_ = chosen_format(request, parameters)
    releases: Releases = request.app.state.releases
    current = releases.current(dataset.name)
    question, of = await parse_question(dataset, parameters, releases)
    return Asked(question, of, format_, releases, current)


AskedQuestion = Annotated[Asked, Depends(asked_by_address)]
AskedInBody = Annotated[Asked, Depends(asked_by_body)]
