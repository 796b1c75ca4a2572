"""GET /problems and /problems/{name}: what each type of problem means, at the URL that its `type` gives (RFC 9457)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.dependencies import only_parameters
from api.http.media import HTML
from api.http.negotiation import prefers_html
from api.http.responses import json_response, response_with_etag
from api.render.html import SECURITY_HEADERS, problem_page
from api.spec.problems import ProblemType, problem_types

router = APIRouter(prefix="/problems", tags=["problems"], dependencies=[Depends(only_parameters())])

PROBLEM_TYPES = {kind.name: kind for kind in problem_types()}


@router.get("", summary="Every type of problem")
async def every(request: Request) -> Response:
    """Every type of problem with its status, its meaning, what to do, and an example. No token needed."""
    return json_response(request, {"problems": [_problem_json(kind) for kind in PROBLEM_TYPES.values()]})


@router.get("/{name}", summary="One type of problem")
async def one(request: Request, name: str) -> Response:
    """What this type of problem means and what to do. An HTML page if Accept prefers text/html. No token needed."""
    if name not in PROBLEM_TYPES:
        raise HTTPException(404)
    if prefers_html(request):
        kind, explanation = PROBLEM_TYPES[name], PROBLEM_TYPES[name].explanation
        body = problem_page(kind.name, kind.status, kind.title, explanation.remedy, explanation.detail)
        return response_with_etag(request, body, HTML, SECURITY_HEADERS)
    return json_response(request, _problem_json(PROBLEM_TYPES[name]))


def _problem_json(kind: ProblemType) -> dict[str, Any]:
    explanation = kind.explanation
    entry = {
        "type": f"/problems/{kind.name}",
        "title": kind.title,
        "status": kind.status,
        "remedy": explanation.remedy,
    }
    return {**entry, "example": {"request": explanation.request, "answer": kind.example}}
