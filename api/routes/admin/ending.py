"""/v1/admin/ending: the projects and tokens that end soon."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends
from pydantic import Field

from api.access.admins import require_right
from api.dependencies import OpenRegistry
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS
from api.http.responses import NoStore
from api.http.router import Router
from auth.tokens.issuing import SOON, ending_tokens
from auth.vetting.lifecycle import ENDING_SOON_DAYS

router = Router(prefix="/v1/admin", tags=["admin"], dependencies=[DECLARED_PARAMETERS])


class EndingProject(Document):
    """A project that ends soon."""

    reference: str
    status: str
    end: Annotated[datetime, Field(validation_alias="not_after")]


class EndingToken(Document):
    """A token that expires soon and has no successor."""

    token_id: str
    project: str
    researcher: str
    expires: datetime


class EndingSoon(Document):
    """What ends soon, the earliest first."""

    projects: list[EndingProject]
    tokens: list[EndingToken]


@router.get(
    "/ending", summary="Projects and tokens that end soon", dependencies=[Depends(require_right("read"))]
)
def ending_soon(registry: OpenRegistry) -> NoStore[EndingSoon]:
    """Projects that end within 30 days, and open tokens without a successor that end within 14 days, the earliest first."""
    now = datetime.now(UTC)
    found = registry.projects.list_ending(now, ENDING_SOON_DAYS)
    lines = ending_tokens(registry.tokens.list(now), now, SOON)
    projects = [EndingProject.of(project) for project in found]
    return NoStore(EndingSoon(projects=projects, tokens=[EndingToken.of(line) for line in lines]))
