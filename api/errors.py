"""Every refusal and its status, in one table, and the handlers that answer refusals as problem documents (RFC 9457)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from slowapi.errors import RateLimitExceeded
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.access.quota import QuotaSpent
from api.access.throttle import TooManyAttempts
from api.http.problems import problem_response, slug, title
from api.http.ranges import RangeNotSatisfiable
from api.query.executor import TooBusy
from api.refusals import Malformed, NotAcceptable, OutOfScope, TokenMissing, TooLarge, TooLong, UnknownFile
from auth.admins.roles import RoleTooSmall
from auth.errors import (
    ChainBroken,
    KeyUnusable,
    MalformedValue,
    NotAllowed,
    RegistryError,
    RegistryUnavailable,
    TokenRefused,
    UnknownRecord,
)
from datasets.catalogue import UnknownCodeList, UnknownDataset
from datasets.period import MalformedPeriod
from datasets.refusal import Refusal
from datasets.release.answer.cursor import CursorRefused
from datasets.release.answer.deadline import QuestionInterrupted
from datasets.release.answer.grid import EmptyQuestion, NotPublished
from datasets.release.format.errata import ReleaseWithdrawn
from datasets.release.format.verification import ReleaseDamaged, ReleaseUnavailable
from datasets.release.query.span import PeriodNotReleased
from datasets.release.query.vocabulary import (
    MalformedQuestion,
    RepeatedParameter,
    UnknownCode,
    UnknownLevel,
    UnknownMeasure,
    UnknownParameter,
)
from datasets.release.resolver import MixedVersions
from datasets.release.store.store import UnknownRelease
from datasets.reports.official.part import UnknownPart
from datasets.reports.report import ReportNotCovered

STATUS: dict[type[Exception], int] = {
    Malformed: 400,
    TokenMissing: 401,
    TokenRefused: 401,
    OutOfScope: 403,
    UnknownDataset: 404,
    UnknownCodeList: 404,
    UnknownRelease: 404,
    UnknownFile: 404,
    ReportNotCovered: 404,
    UnknownPart: 404,
    NotAcceptable: 406,
    NotAllowed: 409,
    UnknownRecord: 404,
    RoleTooSmall: 403,
    ReleaseWithdrawn: 410,
    TooLarge: 413,
    TooLong: 414,
    RangeNotSatisfiable: 416,
    TooManyAttempts: 429,
    QuotaSpent: 429,
    UnknownParameter: 422,
    RepeatedParameter: 422,
    UnknownMeasure: 422,
    UnknownLevel: 422,
    UnknownCode: 422,
    MalformedQuestion: 422,
    MalformedPeriod: 422,
    MalformedValue: 422,
    PeriodNotReleased: 422,
    EmptyQuestion: 422,
    CursorRefused: 422,
    NotPublished: 422,
    MixedVersions: 422,
    QuestionInterrupted: 503,
    TooBusy: 503,
    ReleaseDamaged: 503,
    ReleaseUnavailable: 503,
    RegistryUnavailable: 503,
    KeyUnusable: 503,
    ChainBroken: 503,
}
PUBLIC_SENTENCES = {
    KeyUnusable: "The key that signs cannot be used at the moment; ask again later.",
    ChainBroken: "The audit log does not verify, so no change is accepted until an operator has examined it.",
}
"""The sentence in the answer, instead of the exception's own, which is for admins."""
CHALLENGES = {
    TokenMissing: "Bearer",
    TokenRefused: 'Bearer error="invalid_token"',
    OutOfScope: 'Bearer error="insufficient_scope"',
}
"""The field WWW-Authenticate (RFC 6750, section 3)."""

TOKEN_PATTERN = re.compile(r"[\w-]{8,}\.[\w-]{8,}\.[\w-]{40,}", re.ASCII)
"""Text that looks like a token: an answer never repeats it, wherever a client wrote it by mistake."""

STATUS_SENTENCES = {
    404: "Nothing is served at this address; GET /v1 lists what there is.",
    405: "This method does nothing here; the field Allow names those that do.",
    413: "The body is larger than anything this API reads.",
    422: "A value in the address is not written as it should be.",
}


def refusal_response(request: Request, error: Exception) -> Response:
    """The answer to a refusal: the status is that of its nearest class in the table."""
    kind = next(kind for kind in type(error).__mro__ if kind in STATUS)
    sentence = PUBLIC_SENTENCES[kind] if kind in PUBLIC_SENTENCES else str(getattr(error, "sentence", error))
    details = {} if kind in PUBLIC_SENTENCES else _details(error)
    return problem_response(
        request, STATUS[kind], slug(kind), title(kind), sentence, details, _headers(error, kind)
    )


def _details(error: Exception) -> dict[str, Any]:
    """What a refusal names for a machine to read, without the text of a token."""
    if not isinstance(error, Refusal | RegistryError):
        return {}
    members = ("parameter", "value", "allowed", "suggestions", "policy")
    details = {member: getattr(error, member) for member in members if getattr(error, member, None)}
    if isinstance(details.get("value"), str):
        details["value"] = TOKEN_PATTERN.sub("(a token)", details["value"])
    return details


def _headers(error: Exception, kind: type[Exception]) -> dict[str, str]:
    headers = {"WWW-Authenticate": CHALLENGES[kind]} if kind in CHALLENGES else {}
    if STATUS[kind] == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    if isinstance(error, TooManyAttempts | QuotaSpent):
        headers["Retry-After"] = str(error.wait)
    if isinstance(error, RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.size}"
    return headers


def status_response(request: Request, status: int, headers: dict[str, str] | None = None) -> Response:
    """A problem that has no type of its own beyond its status."""
    phrase = HTTPStatus(status).phrase
    detail = STATUS_SENTENCES.get(status, f"{phrase}.")
    return problem_response(
        request, status, phrase.lower().replace(" ", "-"), phrase, detail, headers=headers
    )


def _allowed_methods(request: Request) -> list[str]:
    """The methods of all routes that match the path; the router's own answer names those of the first route only."""
    routes = request.app.routes
    return [
        method
        for method in ("DELETE", "GET", "PATCH", "POST", "PUT")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def install_handlers(
    app: FastAPI, limit_exceeded_response: Callable[[Request, RateLimitExceeded], Response]
) -> None:
    """Answer every refusal, the API's and the framework's, as a problem document."""

    async def on_refusal(request: Request, error: Exception) -> Response:
        return refusal_response(request, error)

    async def on_status(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_allowed_methods(request))
        return status_response(request, error.status_code, headers)

    async def on_invalid(request: Request, error: Exception) -> Response:
        # the framework's own answer would repeat the input, secrets included
        return status_response(request, 422)

    async def on_limit(request: Request, error: Exception) -> Response:
        assert isinstance(error, RateLimitExceeded)
        return limit_exceeded_response(request, error)

    async def on_fault(request: Request, error: Exception) -> Response:
        # RequestMiddleware answers the faults of the routes; this answers a fault in the middleware itself
        return status_response(request, 500)

    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        **dict.fromkeys(STATUS, on_refusal),
        HTTPException: on_status,
        RequestValidationError: on_invalid,
        RateLimitExceeded: on_limit,
        Exception: on_fault,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
