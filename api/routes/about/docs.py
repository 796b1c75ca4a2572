"""GET /openapi.json and /docs: the description of the API, for programs and as a page to read and try."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.dependencies import only_parameters
from api.http.media import FORMATS, HTML
from api.http.responses import response_with_etag
from api.render.swagger import ASSETS, PAGE, SECURITY_HEADERS, asset_bytes
from api.spec.document import describe

router = APIRouter(tags=["service"], dependencies=[Depends(only_parameters())])


@router.get("/openapi.json", summary="This description")
async def openapi_json(request: Request) -> Response:
    """This description of the API, as OpenAPI 3.1. No token needed."""
    state = request.app.state
    if not hasattr(state, "description"):
        state.description = orjson.dumps(describe(request.app))
    return response_with_etag(request, state.description, FORMATS["json"], {})


@router.get("/docs", summary="This description as a page")
async def page(request: Request) -> Response:
    """Every operation with its parameters, codes and problems. Operations can be tried with a token; reading needs none."""
    return response_with_etag(request, PAGE, HTML, SECURITY_HEADERS)


@router.get("/docs/{name}", summary="A file of that page")
def asset(request: Request, name: str) -> Response:
    """A script, a style sheet or the icon of the page."""
    if name not in ASSETS:
        raise HTTPException(404)
    return response_with_etag(request, asset_bytes(name), ASSETS[name], SECURITY_HEADERS)
