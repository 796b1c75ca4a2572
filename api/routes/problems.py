"""GET /problems/{name}: what the `type` of a problem resolves to (RFC 9457, section 3.1.1)."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.dependencies import only
from api.errors import STATUS, slug, title
from api.responses import json_response

router = APIRouter(prefix="/problems", tags=["problems"], dependencies=[Depends(only())])

KINDS = {slug(kind): kind for kind in STATUS}


@router.get("", summary="Every kind of refusal")
async def every(request: Request) -> Response:
    """Every kind of refusal, its status and its meaning. Open to all."""
    return json_response(request, {"problems": [_entry(name) for name in KINDS]})


@router.get("/{name}", summary="One kind of refusal")
async def one(request: Request, name: str) -> Response:
    """What this kind of refusal means."""
    if name not in KINDS:
        raise HTTPException(404)
    return json_response(request, _entry(name))


def _entry(name: str) -> dict[str, object]:
    return {"type": f"/problems/{name}", "title": title(KINDS[name]), "status": STATUS[KINDS[name]]}
