"""Problem documents (RFC 9457): the name and title of a refusal, and an answer in application/problem+json."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import Field

from api.http.document import Document, IfKnown, encode

PROBLEM_JSON = "application/problem+json"


class Problem(Document):
    """A problem (RFC 9457). GET /problems explains each type."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[
        str, Field(description="What is wrong and what would be right, with the parameter and its value.")
    ]
    instance: Annotated[str, Field(description="Identifies the request, as does the header X-Request-Id.")]
    parameter: IfKnown[str] = None
    value: IfKnown[str] = None
    allowed: IfKnown[tuple[str, ...]] = None
    suggestions: IfKnown[tuple[str, ...]] = None
    policy: Annotated[IfKnown[str], Field(description="The rate limit that was exceeded.")] = None


def slug(refusal: type[Exception]) -> str:
    """The stable name of a refusal, the last part of its `type`.

    >>> slug(type('UnknownDataset', (Exception,), {}))
    'unknown-dataset'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", refusal.__name__).lower()


def title(refusal: type[Exception]) -> str:
    """What a refusal is in general: the first sentence of its docstring."""
    return (refusal.__doc__ or refusal.__name__).strip().split("\n")[0].split(". ")[0].rstrip(".")


def problem_response(
    request: Request,
    status: int,
    name: str,
    heading: str,
    detail: str,
    details: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem+json answer; `type` resolves to a page that explains it."""
    problem = Problem(
        type=f"/problems/{name}",
        title=heading,
        status=status,
        detail=detail,
        instance=f"urn:request:{getattr(request.state, 'request_id', '')}",
        **(details or {}),
    )
    return Response(encode(problem), status, headers, PROBLEM_JSON)
