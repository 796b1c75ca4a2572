"""Bodies of admins' requests: JSON objects without unknown members, each with the reason for the change."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar

from fastapi import Depends
from pydantic import BaseModel, ConfigDict, Field

from api.http.body import JsonBody
from auth.projects import NewProject
from auth.scopes import parse_scopes

Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(2999, 12, 31))]
Text = Annotated[str, Field(min_length=1, max_length=2000)]


class AdminRequest(BaseModel):
    """The reason for a change. It stays in the audit log for ever, so it must not name a person."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    reason: Annotated[str, Field(min_length=1, max_length=200, examples=["as the board decided"])]


class ReasonedRequest(AdminRequest):
    """A reasoned request. Its first and last day are included and in UTC."""

    example: ClassVar[dict[str, str]] = {
        "dsc": "IE", "purpose": "Systemic risks", "scopes": "moderation:read",
        "first_day": "2026-01-01", "last_day": "2030-12-31",
    }  # fmt: skip

    reference: Text
    dsc: Text
    purpose: Text
    scopes: Text
    first_day: Day
    last_day: Day
    tier: Text = "standard"

    def as_project(self) -> NewProject:
        """The project that it asks for. Raises MalformedValue if a scope is unknown."""
        scopes = parse_scopes(self.scopes)
        return NewProject(
            self.reference, self.dsc, self.purpose, scopes, self.first_day, self.last_day, self.tier
        )


json_body = JsonBody


ReasonOnly = Annotated[AdminRequest, Depends(json_body(AdminRequest))]
"""A body with nothing but the reason."""


def request_body(kind: type[AdminRequest], **example: object) -> dict[str, Any]:
    """`openapi_extra` for a route with this body; the reason is added to the example."""
    body = {**example, "reason": "as the board decided"}
    content = {"application/json": {"schema": kind.model_json_schema(), "example": body}}
    return {"requestBody": {"required": True, "content": content}}
