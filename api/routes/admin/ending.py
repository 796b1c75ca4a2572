"""/v1/admin/ending: the projects and tokens that end soon."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Response

from api.access.admins import require_right
from api.dependencies import OpenRegistry, only_parameters
from api.http.responses import no_store_response
from auth.tokens.issuing import SOON, ending_tokens
from auth.vetting.lifecycle import ENDING_SOON_DAYS

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only_parameters())])


@router.get(
    "/ending", summary="Projects and tokens that end soon", dependencies=[Depends(require_right("read"))]
)
def ending_soon(registry: OpenRegistry) -> Response:
    """Projects that end within 30 days, and open tokens without a successor that end within 14 days, the earliest first."""
    now = datetime.now(UTC)
    found = registry.projects.list_ending(now, ENDING_SOON_DAYS)
    lines = ending_tokens(registry.tokens.list(now), now, SOON)
    projects = [{"reference": p.reference, "status": p.status, "end": p.not_after} for p in found]
    tokens = [
        {"token_id": t.token_id, "project": t.project, "researcher": t.researcher, "expires": t.expires}
        for t in lines
    ]
    return no_store_response({"projects": projects, "tokens": tokens})
