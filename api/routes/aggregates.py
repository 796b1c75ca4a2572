"""GET and POST /v1/datasets/{dataset}/aggregates: the question; GET .../plan: what it would give."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from api.asking import Desk
from api.bodies import parameters_of_body
from api.dependencies import GrantedDataset, Parameters, PublishedReleases
from api.formats import FORMATS, RENDER, json_response, tagged
from api.negotiation import chosen_format
from datasets.definition import Dataset
from datasets.release.query.question import Question
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
    question = _question(dataset, parameters, releases)
    desk: Desk = request.app.state.desk
    answer = await desk.answer(request, releases, question)
    headers = {"Data-Release": ", ".join(answer.meta["releases"]), "X-Query-Id": answer.meta["query_id"]}
    return tagged(request, b"".join(RENDER[format_](answer)), FORMATS[format_], headers)


@router.get("/{dataset}/plan", summary="What a question would give")
async def plan(
    request: Request, dataset: GrantedDataset, parameters: Parameters, releases: PublishedReleases
) -> Response:
    """The same question, answered with the number of rows, the cuboid and the promised standard errors of each measure.

    It gives no number of the release. A question that is not published is refused as it would be when asked.
    """
    chosen_format(request, parameters)
    question = _question(dataset, parameters, releases)
    return json_response(request, await run_in_threadpool(releases.plan, question))


def _question(dataset: Dataset, parameters: tuple[tuple[str, str], ...], releases: Releases) -> Question:
    """What is asked, apart from the format, which is the API's own word."""
    words = [(name, value) for name, value in parameters if name != "format"]
    return releases.question(dataset.name, words, also=["format"])
