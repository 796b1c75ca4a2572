"""GET and POST /v1/datasets/{dataset}/aggregates: the question."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.query.request import AskedInBody, AskedQuestion
from api.query.results import Answers, Wanted, wanted_of

router = APIRouter(prefix="/v1/datasets", tags=["aggregates"])


@router.get("/{dataset}/aggregates", summary="Ask a question")
async def aggregates(request: Request, asked: AskedQuestion) -> Response:
    """Noisy numbers per period and cell, each with its exact standard error, 95 % interval and status.

    Every cell of the asked grid is there: zero is a value, and a negative estimate is served as it is. The same
    question asked of the same releases has the same bytes for everybody.
    """
    wanted, ready = wanted_of(request, asked), request.app.state.ready
    ready.remember(request, asked, wanted)
    return await _serve(request, wanted)


@router.post("/{dataset}/aggregates", summary="Ask a question in a body")
async def aggregates_by_body(request: Request, asked: AskedInBody) -> Response:
    """The same, for questions too long for an address: a JSON object with the same words, lists for several values."""
    return await _serve(request, wanted_of(request, asked))


async def _serve(request: Request, wanted: Wanted) -> Response:
    answers: Answers = request.app.state.answers
    return await answers.serve(request, wanted)
