"""GET /v1/codelists: the closed lists of codes, with labels and legal sources."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request

from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS, OptionalText, path_choice, text_parameter
from api.http.responses import Json
from api.http.router import Router, raises
from datasets.catalogue import UnknownCodeList, code_lists, find_code_list

LINKS = {
    "list": {
        "operationId": "one_v1_codelists__name__get",
        "parameters": {"name": "$response.body#/code_lists/0/name"},
    }
}
router = Router(prefix="/v1/codelists", tags=["code lists"], dependencies=[DECLARED_PARAMETERS])


class CodeListSummary(Document):
    """A code list in the list of all."""

    name: str
    title: str
    source: str
    link: str


class CodeLists(Document):
    """Every code list."""

    code_lists: list[CodeListSummary]


class ListedCode(Document):
    """A code, its label and, if codes are nested, its parent code."""

    code: str
    label: str
    within: str | None


class CodeListDocument(Document):
    """A code list: `within` is the list of the parent codes, `unknown` the code that stands for an unknown value."""

    name: str
    title: str
    source: str
    within: str | None
    unknown: str
    codes: list[ListedCode]


@router.get("", summary="Every code list", openapi_extra={"responses": {"200": {"links": LINKS}}})
async def every(request: Request) -> Json[CodeLists]:
    """The name, title and source of every code list. No token needed."""
    listed = [
        CodeListSummary(name=c.name, title=c.title, source=c.source, link=f"/v1/codelists/{c.name}")
        for c in code_lists().values()
    ]
    return Json(request, CodeLists(code_lists=listed))


@router.get("/{name}", summary="One code list")
@raises(UnknownCodeList)
async def one(
    request: Request,
    name: Annotated[str, path_choice(sorted(code_lists()), "category")],
    search: Annotated[
        OptionalText, text_parameter("Only codes whose code or label contains this text.", "a")
    ] = None,
) -> Json[CodeListDocument]:
    """The codes in the order in which answers list them, each with its label and, if codes are nested, its parent code.

    `search` selects the codes whose code or label contains the text; upper and lower case are the same. No token needed.
    """
    codes, text = find_code_list(name), (search or "").casefold()
    selected = [c for c in codes if text in f"{c.code}\n{c.label}".casefold()]
    document = CodeListDocument(
        name=codes.name,
        title=codes.title,
        source=codes.source,
        within=codes.within.name if codes.within else None,
        unknown=codes.unknown,
        codes=[ListedCode.of(c) for c in selected],
    )
    return Json(request, document)
