"""GET /v1/datasets/{dataset}/plan: the rows and standard errors that a question would have, without charging the quota."""

from __future__ import annotations

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.documents.answer import PlanDocument
from api.http.responses import Json
from api.http.router import Router
from api.query.request import QueryFromUrl

router = Router(prefix="/v1/datasets", tags=["aggregates"])


@router.get("/{dataset}/plan", summary="Plan a question")
async def plan(request: Request, query: QueryFromUrl) -> Json[PlanDocument]:
    """For the same question: the number of rows, what it would charge to the quota, and for each measure the cuboid and the
    standard errors to expect. The nearest coarser questions are listed with theirs.

    It returns no number of the release and is not charged to the quota. A question that cannot be answered is refused as by
    `aggregates`, with the nearest questions that can be.
    """
    planned = await run_in_threadpool(query.releases.explain, query.question, query.sources)
    return Json(request, PlanDocument.model_validate(planned))
