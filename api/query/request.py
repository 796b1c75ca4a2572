"""The question of a request, parsed from its URL or from its body, after checking that the token may read the dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.access.authorization import find_granted_dataset
from api.dependencies import DatasetName
from api.http.negotiation import choose_format
from api.http.parameters import parameters_of
from api.http.router import raises
from api.query.body import parameters_from_body
from api.query.resolve import QUESTION_REFUSALS, resolve_question
from api.refusals import NotAcceptable, OutOfScope, TooLarge
from datasets.catalogue import UnknownDataset
from datasets.definition import Dataset
from datasets.release.answer.release import Release
from datasets.release.query.question import Question
from datasets.release.releases import Releases


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A question, the releases that its result is computed from (`sources`), and the format of the result."""

    question: Question
    sources: tuple[Release, ...]
    format: str
    releases: Releases
    current: tuple[Release, ...]
    """The current releases of the dataset, read before the question was parsed."""


_REFUSALS = (*QUESTION_REFUSALS, UnknownDataset, OutOfScope, NotAcceptable)


@raises(*_REFUSALS)
async def query_from_url(request: Request, dataset: DatasetName) -> QueryRequest:
    """The question in the URL. Raises UnknownDataset, OutOfScope, and other Refusals for parameters that are not right."""
    return await _query_request(request, find_granted_dataset(request, dataset), await parameters_of(request))


@raises(*_REFUSALS, TooLarge)
async def query_from_body(request: Request, dataset: DatasetName) -> QueryRequest:
    """The question in the body. Raises as `query_from_url`, and TooLarge or Malformed if the body is not a question."""
    granted = find_granted_dataset(request, dataset)
    return await _query_request(request, granted, await parameters_from_body(request))


async def _query_request(
    request: Request, dataset: Dataset, parameters: tuple[tuple[str, str], ...]
) -> QueryRequest:
    format_ = choose_format(request, parameters)
    releases: Releases = request.app.state.releases
    current = releases.current(dataset.name)
    question, sources = await resolve_question(dataset, parameters, releases)
    return QueryRequest(question, sources, format_, releases, current)


QueryFromUrl = Annotated[QueryRequest, Depends(query_from_url)]
QueryFromBody = Annotated[QueryRequest, Depends(query_from_body)]
