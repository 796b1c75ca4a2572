"""GET /v1/codelists: the closed lists of codes, with labels and legal sources."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.dependencies import only_parameters
from api.http.responses import json_response
from datasets.catalogue import code_lists, find_code_list

router = APIRouter(prefix="/v1/codelists", tags=["code lists"])


@router.get("", summary="Every code list", dependencies=[Depends(only_parameters())])
async def every(request: Request) -> Response:
    """The name, title and source of every code list. No token needed."""
    listed = [
        {
            "name": codes.name,
            "title": codes.title,
            "source": codes.source,
            "link": f"/v1/codelists/{codes.name}",
        }
        for codes in code_lists().values()
    ]
    return json_response(request, {"code_lists": listed})


@router.get("/{name}", summary="One code list")
async def one(
    request: Request, name: str, query: Annotated[dict[str, str], Depends(only_parameters("search"))]
) -> Response:
    """The codes in the order in which answers list them, each with its label and, if codes are nested, its parent code.

    `search` selects the codes whose code or label contains the text; upper and lower case are the same. No token needed.
    """
    codes = find_code_list(name)
    text = query.get("search", "").casefold()
    return json_response(
        request,
        {
            "name": codes.name,
            "title": codes.title,
            "source": codes.source,
            "within": codes.within.name if codes.within else None,
            "unknown": codes.unknown,
            "codes": [
                {"code": c.code, "label": c.label, "within": c.within}
                for c in codes
                if text in f"{c.code}\n{c.label}".casefold()
            ],
        },
    )
