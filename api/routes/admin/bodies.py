"""Bodies of admins' requests: JSON objects without unknown members, each with the reason for the change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, ClassVar, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.http.body import read_body
from api.refusals import Malformed
from auth.projects import NewProject
from auth.scopes import parse_scopes

Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(2999, 12, 31))]
Text = Annotated[str, Field(min_length=1, max_length=2000)]


class AdminRequest(BaseModel):
    """The reason for a change. It stays in the audit log for ever, so it must not name a person."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    reason: Annotated[str, Field(min_length=1, max_length=200)]


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


Body = TypeVar("Body", bound=AdminRequest)


def json_body(kind: type[Body]) -> Callable[[Request], Awaitable[Body]]:
    """A dependency that parses the body. Raises TooLarge, and Malformed, which names the wrong member but never its value."""

    async def read(request: Request) -> Body:
        try:
            return kind.model_validate_json(await read_body(request))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            member = ".".join(map(str, first["loc"])) or "body"
            raise Malformed(
                f"{member}: {first['msg']}; the members are {', '.join(kind.model_fields)}.",
                parameter=member, allowed=tuple(kind.model_fields),
            ) from None  # fmt: skip

    return read


ReasonOnly = Annotated[AdminRequest, Depends(json_body(AdminRequest))]
"""A body with nothing but the reason."""


def request_body(kind: type[AdminRequest], **example: object) -> dict[str, Any]:
    """`openapi_extra` for a route with this body; the reason is added to the example."""
    body = {**example, "reason": "as the board decided"}
    content = {"application/json": {"schema": kind.model_json_schema(), "example": body}}
    return {"requestBody": {"required": True, "content": content}}
