"""GET /problems and /problems/{name}: what each type of problem means, at the URL that its `type` gives (RFC 9457)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from starlette.exceptions import HTTPException

from api.http.document import Document
from api.http.negotiation import prefers_html
from api.http.parameters import DECLARED_PARAMETERS, path_choice
from api.http.problems import Problem
from api.http.responses import Json, Page
from api.http.router import NOT_FOUND, Router, raises
from api.render.html import SECURITY_HEADERS, problem_page
from api.spec.problems import ProblemType, problem_types

router = Router(prefix="/problems", tags=["problems"], dependencies=[DECLARED_PARAMETERS])

PROBLEM_TYPES = {kind.name: kind for kind in problem_types()}


class ProblemExample(Document):
    """An example: the answer, and the request that causes it if one request is enough."""

    request: str
    answer: Problem


class ProblemTypeDocument(Document):
    """What a type of problem means, and what to do."""

    type: str
    title: str
    status: int
    remedy: str
    example: ProblemExample


class ProblemTypeList(Document):
    """Every type of problem."""

    problems: list[ProblemTypeDocument]


@router.get("", summary="Every type of problem")
async def every(request: Request) -> Json[ProblemTypeList]:
    """Every type of problem with its status, its meaning, what to do, and an example. No token needed."""
    return Json(request, ProblemTypeList(problems=[_document(kind) for kind in PROBLEM_TYPES.values()]))


@router.get("/{name}", summary="One type of problem")
@raises(NOT_FOUND)
async def one(
    request: Request, name: Annotated[str, path_choice(PROBLEM_TYPES, "unknown-code")]
) -> Json[ProblemTypeDocument] | Page:
    """What this type of problem means and what to do. An HTML page if Accept prefers text/html. No token needed."""
    if name not in PROBLEM_TYPES:
        raise HTTPException(404)
    kind, explanation = PROBLEM_TYPES[name], PROBLEM_TYPES[name].explanation
    if prefers_html(request):
        body = problem_page(kind.name, kind.status, kind.title, explanation.remedy, explanation.detail)
        return Page(request, body, SECURITY_HEADERS)
    return Json(request, _document(kind))


def _document(kind: ProblemType) -> ProblemTypeDocument:
    return ProblemTypeDocument(
        type=kind.example.type,
        title=kind.title,
        status=kind.status,
        remedy=kind.explanation.remedy,
        example=ProblemExample(request=kind.explanation.request, answer=kind.example),
    )
