"""GET /v1/datasets/{dataset}/plan: what a question would give, without a number; it costs no quota."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.http.responses import json_response
from api.query.request import QueryFromUrl

router = APIRouter(prefix="/v1/datasets", tags=["aggregates"])


@router.get("/{dataset}/plan", summary="What a question would give")
async def plan(request: Request, asked: QueryFromUrl) -> Response:
    """The same question, answered with the number of rows, what it would take of the quota, the cuboid and the promised
    standard errors of each measure, and the same of the nearest coarser questions.

    It gives no number of the release and is free of charge. A question that is not published is refused as it would be when
    asked, with the nearest that are.
    """
    return json_response(
        request, await run_in_threadpool(asked.releases.explain, asked.question, asked.sources)
    )
