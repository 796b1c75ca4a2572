"""GET /problems/{name}: what the `type` of a problem resolves to (RFC 9457, section 3.1.1)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.dependencies import only_parameters
from api.http.media import HTML
from api.http.negotiation import prefers_html
from api.http.responses import json_response, response_with_etag
from api.render.html import SECURITY_HEADERS, problem_page
from api.spec.problems import Page, pages

router = APIRouter(prefix="/problems", tags=["problems"], dependencies=[Depends(only_parameters())])

PAGES = {page.name: page for page in pages()}


@router.get("", summary="Every kind of refusal")
async def every(request: Request) -> Response:
    """Every kind of refusal, its status, its meaning and what to do. Open to all."""
    return json_response(request, {"problems": [_problem_json(page) for page in PAGES.values()]})


@router.get("/{name}", summary="One kind of refusal")
async def one(request: Request, name: str) -> Response:
    """What this kind of refusal means and what to do; as a page for people where Accept says so."""
    if name not in PAGES:
        raise HTTPException(404)
    if prefers_html(request):
        page, said = PAGES[name], PAGES[name].explanation
        body = problem_page(page.name, page.status, page.title, said.remedy, said.detail)
        return response_with_etag(request, body, HTML, SECURITY_HEADERS)
    return json_response(request, _problem_json(PAGES[name]))


def _problem_json(page: Page) -> dict[str, Any]:
    said = page.explanation
    entry = {
        "type": f"/problems/{page.name}",
        "title": page.title,
        "status": page.status,
        "remedy": said.remedy,
    }
    return {**entry, "example": {"request": said.request, "answer": page.example}}
