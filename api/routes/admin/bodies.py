"""Bodies of admins' requests: JSON objects without unknown members, each with the reason for the change; types of members."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.http.body import JsonBody
from auth.projects import NewProject
from auth.scopes import parse_scopes

Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(2999, 12, 31))]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
SplitScopes = Annotated[list[str], BeforeValidator(str.split)]
"""The scopes of a row, which are stored as one text."""


class AdminRequest(BaseModel):
    """The reason for a change. It stays in the audit log for ever, so it must not name a person."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    reason: Annotated[str, Field(min_length=1, max_length=200, examples=["as the board decided"])]


class ReasonedRequest(AdminRequest):
    """A reasoned request. Its first and last day are included and in UTC."""

    reference: Text
    dsc: Annotated[Text, Field(examples=["IE"])]
    purpose: Annotated[Text, Field(examples=["Systemic risks"])]
    scopes: Annotated[Text, Field(examples=["moderation:read"])]
    first_day: Annotated[Day, Field(examples=["2026-01-01"])]
    last_day: Annotated[Day, Field(examples=["2030-12-31"])]
    tier: Text = "standard"

    def as_project(self) -> NewProject:
        """The project that it asks for. Raises MalformedValue if a scope is unknown."""
        scopes = parse_scopes(self.scopes)
        return NewProject(
            self.reference, self.dsc, self.purpose, scopes, self.first_day, self.last_day, self.tier
        )


ReasonOnly = Annotated[AdminRequest, Depends(JsonBody(AdminRequest))]
"""A body with nothing but the reason."""
