"""GET and POST /v1/datasets/{dataset}/aggregates: the question."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.answers import Answers
from api.bodies import parameters_of_body
from api.dependencies import GrantedDataset, Parameters, PublishedReleases, question_of
from api.negotiation import chosen_format
from datasets.definition import Dataset
from datasets.release.reader import Releases

BodyParameters = Annotated[tuple[tuple[str, str], ...], Depends(parameters_of_body)]

router = APIRouter(prefix="/v1/datasets", tags=["aggregates"])


@router.get("/{dataset}/aggregates", summary="Ask a question")
async def aggregates(
    request: Request, dataset: GrantedDataset, parameters: Parameters, releases: PublishedReleases
) -> Response:
    """Noisy numbers per period and cell, each with its exact standard error, 95 % interval and status.

    Every cell of the asked grid is there: zero is a value, and a negative estimate is served as it is. The same
    question asked of the same releases has the same bytes for everybody.
    """
    return await _answered(request, dataset, parameters, releases)


@router.post("/{dataset}/aggregates", summary="Ask a question in a body")
async def aggregates_by_body(
    request: Request, dataset: GrantedDataset, parameters: BodyParameters, releases: PublishedReleases
) -> Response:
    """The same, for questions too long for an address: a JSON object with the same words, lists for several values."""
    return await _answered(request, dataset, parameters, releases)


async def _answered(
    request: Request, dataset: Dataset, parameters: tuple[tuple[str, str], ...], releases: Releases
) -> Response:
    format_ = chosen_format(request, parameters)
    answers: Answers = request.app.state.answers
    question, asked = question_of(dataset, parameters, releases)
    return await answers.give(request, releases, question, asked, format_)
