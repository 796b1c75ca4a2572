"""GET /problems/{name}: what the `type` of a problem resolves to (RFC 9457, section 3.1.1)."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.dependencies import only
from api.explanations import Page, pages
from api.preferences import by_preference
from api.responses import json_response, tagged

router = APIRouter(prefix="/problems", tags=["problems"], dependencies=[Depends(only())])

PAGES = {page.name: page for page in pages()}
HTML = "text/html; charset=utf-8"


@router.get("", summary="Every kind of refusal")
async def every(request: Request) -> Response:
    """Every kind of refusal, its status, its meaning and what to do. Open to all."""
    return json_response(request, {"problems": [_entry(page) for page in PAGES.values()]})


@router.get("/{name}", summary="One kind of refusal")
async def one(request: Request, name: str) -> Response:
    """What this kind of refusal means and what to do; as a page for people where Accept says so."""
    if name not in PAGES:
        raise HTTPException(404)
    liked = by_preference(request.headers.get("accept", ""))
    if liked[:1] == ["text/html"]:
        return tagged(request, _page(PAGES[name]), HTML, {})
    return json_response(request, _entry(PAGES[name]))


def _entry(page: Page) -> dict[str, Any]:
    said = page.explanation
    entry = {
        "type": f"/problems/{page.name}",
        "title": page.title,
        "status": page.status,
        "remedy": said.remedy,
    }
    return {**entry, "example": {"request": said.request, "answer": page.example}}


def _page(page: Page) -> bytes:
    said = page.explanation
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(page.title)}</title>'
        f"<h1>{escape(page.name)}</h1><p><strong>{page.status}</strong> {escape(page.title)}.</p>"
        f"<p>{escape(said.remedy)}</p><blockquote>{escape(said.detail)}</blockquote>"
        '<p><a href="/problems">Every kind of refusal</a></p></html>\n'
    ).encode()
