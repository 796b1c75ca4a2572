"""/v1/admin/notices: notices to coordinators, and the record that they were sent."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry, only_parameters
from api.http.responses import no_store_response
from api.routes.admin.bodies import AdminRequest, ReasonOnly, request_body
from api.spec.path_parameters import example

router = APIRouter(prefix="/v1/admin", tags=["admin"], dependencies=[Depends(only_parameters())])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("access"))]


@router.get("/notices", summary="Notices to coordinators", dependencies=MAY_READ)
def notices(registry: OpenRegistry) -> Response:
    """Every notice that access begins or ends, unsent ones first (Delegated Regulation (EU) 2025/2050, Art. 15(1))."""
    today = datetime.now(UTC).date()
    return no_store_response(
        {"notices": [{**asdict(n), "late": n.is_late(today)} for n in registry.notices.list()]}
    )


@router.post(
    "/notices/{notice}/sent",
    summary="Record that a notice was sent",
    dependencies=MAY_CHANGE,
    openapi_extra=request_body(AdminRequest),
)
def sent(
    notice: Annotated[str, example("ntc_aaaaaaaaaaaaaaaa")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: ReasonOnly,
) -> Response:
    """Record that the coordinator has received this notice."""
    registry.notices.record_sent(notice, mandate_for(admin, body.reason))
    return no_store_response({"notice": notice})
