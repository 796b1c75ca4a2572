"""GET /openapi.json and /docs: the description of the API, for programs and as a page to read and try."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from api.http.media import FORMATS
from api.http.parameters import DECLARED_PARAMETERS, path_choice
from api.http.responses import ETagResponse, Page, ResponseObjects, media_schema
from api.http.router import NOT_FOUND, Router, raises
from api.render.swagger import ASSETS, PAGE, SECURITY_HEADERS, asset_bytes
from api.spec.document import describe

router = Router(tags=["service"], dependencies=[DECLARED_PARAMETERS])


class OpenApiJson(ETagResponse):
    """An OpenAPI document."""

    media_type = FORMATS["json"]
    schema = {"type": "object"}  # noqa: RUF012  a class attribute of the parent


class AssetResponse(ETagResponse):
    """A file of the page, with its own media type."""

    def __init__(self, request: Request, name: str) -> None:
        self.media_type = ASSETS[name]
        super().__init__(request, asset_bytes(name), SECURITY_HEADERS)

    @classmethod
    def describe(cls, model: type[BaseModel] | None = None) -> ResponseObjects:
        found = super().describe()
        names = sorted({media_type.split(";")[0] for media_type in ASSETS.values()})
        found[200]["content"] = {name: {"schema": media_schema(name)} for name in names}
        return found


@router.get("/openapi.json", summary="This description")
async def openapi_json(request: Request) -> OpenApiJson:
    """This description of the API, as OpenAPI 3.1. No token needed."""
    state = request.app.state
    if not hasattr(state, "description"):
        state.description = orjson.dumps(describe(request.app))
    return OpenApiJson(request, state.description)


@router.get("/docs", summary="This description as a page")
async def page(request: Request) -> Page:
    """Every operation with its parameters, codes and problems. Operations can be tried with a token; reading needs none."""
    return Page(request, PAGE, SECURITY_HEADERS)


@router.get("/docs/{name}", summary="A file of that page")
@raises(NOT_FOUND)
def asset(request: Request, name: Annotated[str, path_choice(ASSETS, "start.js")]) -> AssetResponse:
    """A script, a style sheet or the icon of the page."""
    if name not in ASSETS:
        raise HTTPException(404)
    return AssetResponse(request, name)
