"""GET and POST /v1/datasets/{dataset}/aggregates: answer a question about a dataset."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.query.request import QueryFromBody, QueryFromUrl
from api.query.results import ResultCache, ResultRequest, result_request

router = APIRouter(prefix="/v1/datasets", tags=["aggregates"])


@router.get("/{dataset}/aggregates", summary="Ask a question")
async def aggregates(request: Request, query: QueryFromUrl) -> Response:
    """Noisy numbers for each period and cell, each with its exact standard error, its interval (95 % by default) and status.

    No cell is left out: zero is a value, and a negative estimate is returned unchanged. The same question about the same
    releases has the same bytes for everybody.
    """
    result, known_queries = result_request(request, query), request.app.state.known_queries
    known_queries.remember(request, query, result)
    return await _serve_result(request, result)


@router.post("/{dataset}/aggregates", summary="Ask a question in a JSON body")
async def aggregates_by_body(request: Request, query: QueryFromBody) -> Response:
    """For a question that is too long for a URL: a JSON object with the same parameters, and lists for several values."""
    return await _serve_result(request, result_request(request, query))


async def _serve_result(request: Request, result: ResultRequest) -> Response:
    results: ResultCache = request.app.state.results
    return await results.serve(request, result)
