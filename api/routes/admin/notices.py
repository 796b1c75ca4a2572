"""/v1/admin/notices: notices to coordinators, and the record that they were sent."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Depends

from api.access.admins import CurrentAdmin, mandate_for, require_right
from api.dependencies import OpenRegistry
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS, example
from api.http.responses import NoStore
from api.http.router import Router
from api.routes.admin.bodies import ReasonOnly

router = Router(prefix="/v1/admin", tags=["admin"], dependencies=[DECLARED_PARAMETERS])
MAY_READ, MAY_CHANGE = [Depends(require_right("read"))], [Depends(require_right("access"))]


class NoticeDocument(Document):
    """A notice to a coordinator that access begins or ends."""

    notice: str
    reference: str
    """The reference of the reasoned request."""
    dsc: str
    """The coordinator, by its Member State."""
    kind: str
    """access_begins or access_ends."""
    at: datetime
    """When access began or ended."""
    due: date
    """The day by which the coordinator must have been informed."""
    sent: datetime | None
    late: bool
    """Whether it was sent after the day on which it was due, or is not sent yet and that day is over."""


class NoticeList(Document):
    """Every notice."""

    notices: list[NoticeDocument]


class SentNotice(Document):
    """The notice that was recorded as sent."""

    notice: str


@router.get("/notices", summary="Notices to coordinators", dependencies=MAY_READ)
def notices(registry: OpenRegistry) -> NoStore[NoticeList]:
    """Every notice that access begins or ends, unsent ones first (Delegated Regulation (EU) 2025/2050, Art. 15(1))."""
    today = datetime.now(UTC).date()
    found = [NoticeDocument(**asdict(line), late=line.is_late(today)) for line in registry.notices.list()]
    return NoStore(NoticeList(notices=found))


@router.post("/notices/{notice}/sent", summary="Record that a notice was sent", dependencies=MAY_CHANGE)
def sent(
    notice: Annotated[str, example("ntc_aaaaaaaaaaaaaaaa")],
    admin: CurrentAdmin,
    registry: OpenRegistry,
    body: ReasonOnly,
) -> NoStore[SentNotice]:
    """Record that the coordinator has received this notice."""
    registry.notices.record_sent(notice, mandate_for(admin, body.reason))
    return NoStore(SentNotice(notice=notice))
