"""GET and POST /v1/datasets/{dataset}/aggregates: the question."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.answers import Answers
from api.asked import Asked, AskedInBody, AskedQuestion

router = APIRouter(prefix="/v1/datasets", tags=["aggregates"])


@router.get("/{dataset}/aggregates", summary="Ask a question")
async def aggregates(request: Request, asked: AskedQuestion) -> Response:
    """Noisy numbers per period and cell, each with its exact standard error, 95 % interval and status.

    Every cell of the asked grid is there: zero is a value, and a negative estimate is served as it is. The same
    question asked of the same releases has the same bytes for everybody.
    """
    return await _answered(request, asked)


@router.post("/{dataset}/aggregates", summary="Ask a question in a body")
async def aggregates_by_body(request: Request, asked: AskedInBody) -> Response:
    """The same, for questions too long for an address: a JSON object with the same words, lists for several values."""
    return await _answered(request, asked)


async def _answered(request: Request, asked: Asked) -> Response:
    answers: Answers = request.app.state.answers
    return await answers.give(request, asked)
