"""Problem documents (RFC 9457): the name and title of a refusal, and an answer in application/problem+json."""

from __future__ import annotations

import re
from typing import Any

import orjson
from fastapi import Request, Response

PROBLEM_JSON = "application/problem+json"


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
    body = {
        "type": f"/problems/{name}",
        "title": heading,
        "status": status,
        "detail": detail,
        "instance": f"urn:request:{getattr(request.state, 'request_id', '')}",
        **(details or {}),
    }
    return Response(orjson.dumps(body), status, headers, PROBLEM_JSON)
