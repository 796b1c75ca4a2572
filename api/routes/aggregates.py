"""GET and POST /v1/datasets/{dataset}/aggregates: answer a question about a dataset."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response

from api.documents.answer import AnswerDocument
from api.http.media import FORMATS
from api.http.responses import Rendered
from api.http.router import Router, raises
from api.query.executor import TooBusy
from api.query.request import QueryFromBody, QueryFromUrl
from api.query.results import ResultCache, ResultRequest, result_request
from datasets.release.answer.deadline import QuestionInterrupted

router = Router(prefix="/v1/datasets", tags=["aggregates"])
FIELDS = ("Data-Release", "X-Query-Id", "X-Next-Cursor", "Link")
Answer = Annotated[Response, Rendered(tuple(FORMATS.values()), AnswerDocument, FIELDS)]
AnswerToPost = Annotated[
    Response, Rendered(tuple(FORMATS.values()), AnswerDocument, FIELDS, conditional=False)
]


@router.get("/{dataset}/aggregates", summary="Ask a question")
@raises(QuestionInterrupted, TooBusy)
async def aggregates(request: Request, query: QueryFromUrl) -> Answer:
    """Noisy numbers for each period and cell, each with its standard error (exact for counts and sums), its interval
    (95 % by default) and status.

    No cell is left out: zero is a value, and a negative estimate is returned unchanged. The same question about the same
    releases has the same bytes for everybody.
    """
    result, known_queries = result_request(request, query), request.app.state.known_queries
    known_queries.remember(request, query, result)
    return await _serve_result(request, result)


@router.post("/{dataset}/aggregates", summary="Ask a question in a JSON body")
@raises(QuestionInterrupted, TooBusy)
async def aggregates_by_body(request: Request, query: QueryFromBody) -> AnswerToPost:
    """For a question that is too long for a URL: a JSON object with the same parameters, and lists for several values."""
    return await _serve_result(request, result_request(request, query))


async def _serve_result(request: Request, result: ResultRequest) -> Response:
    results: ResultCache = request.app.state.results
    return await results.serve(request, result)
