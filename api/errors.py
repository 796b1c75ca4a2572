"""Every refusal and its status, in one table; each is answered as problem+json (RFC 9457)."""

from __future__ import annotations

import logging
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
from datasets.release.format.verification import ReleaseDamaged
from datasets.release.query.span import PeriodNotReleased
from datasets.release.query.vocabulary import (
    MalformedQuestion,
    RepeatedParameter,
    UnknownCode,
    UnknownLevel,
    UnknownMeasure,
    UnknownParameter,
)
from datasets.release.resolver import MixedVersions, ReleaseUnavailable
from datasets.release.store.store import UnknownRelease
from datasets.reports.official.part import UnknownPart
from datasets.reports.report import ReportNotCovered

log = logging.getLogger("daylight.api")

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
    ChainBroken: "The audit does not verify, so nothing is done until it has been looked into.",
}
"""What is said outside of faults whose own sentences are for admins."""
CHALLENGES = {
    TokenMissing: "Bearer",
    TokenRefused: 'Bearer error="invalid_token"',
    OutOfScope: 'Bearer error="insufficient_scope"',
}
"""What WWW-Authenticate says (RFC 6750, section 3)."""

TOKEN_PATTERN = re.compile(r"[\w-]{8,}\.[\w-]{8,}\.[\w-]{40,}", re.ASCII)
"""What looks like the text of a token: it is never repeated, wherever it was written by mistake."""

STATUS_SENTENCES = {
    404: "Nothing is served at this address; GET /v1 lists what there is.",
    405: "This method does nothing here; the field Allow names those that do.",
    413: "The body is larger than anything this API reads.",
    422: "A value in the address is not written as it should be.",
}


def refusal_response(request: Request, error: Exception) -> Response:
    """The answer to a refusal of ours, found in the table by the nearest of its classes."""
    kind = next(kind for kind in type(error).__mro__ if kind in STATUS)
    headers = {"WWW-Authenticate": CHALLENGES[kind]} if kind in CHALLENGES else {}
    if STATUS[kind] == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    if isinstance(error, TooManyAttempts | QuotaSpent):
        headers["Retry-After"] = str(error.wait)
    if isinstance(error, RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.size}"
    details: dict[str, Any] = {}
    if isinstance(error, Refusal | RegistryError) and kind not in PUBLIC_SENTENCES:
        for member in ("parameter", "value", "allowed", "suggestions", "policy"):
            if getattr(error, member, None):
                details[member] = getattr(error, member)
        if isinstance(details.get("value"), str):
            details["value"] = TOKEN_PATTERN.sub("(a token)", details["value"])
    sentence = PUBLIC_SENTENCES[kind] if kind in PUBLIC_SENTENCES else str(getattr(error, "sentence", error))
    return problem_response(request, STATUS[kind], slug(kind), title(kind), sentence, details, headers)


def status_response(request: Request, status: int, headers: dict[str, str] | None = None) -> Response:
    """A problem that is no more than its status."""
    phrase = HTTPStatus(status).phrase
    detail = STATUS_SENTENCES.get(status, f"{phrase}.")
    return problem_response(
        request, status, phrase.lower().replace(" ", "-"), phrase, detail, headers=headers
    )


def _allowed_methods(request: Request) -> list[str]:
    """Every method that some route answers at this address; the router itself knows of the first route only."""
    routes = request.app.routes
    return [
        method
        for method in ("DELETE", "GET", "PATCH", "POST", "PUT")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def install_handlers(app: FastAPI, too_many: Callable[[Request, RateLimitExceeded], Response]) -> None:
    """Let every refusal, ours and the framework's, be answered as a problem."""

    async def on_refusal(request: Request, error: Exception) -> Response:
        return refusal_response(request, error)

    async def on_status(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_allowed_methods(request))
        return status_response(request, error.status_code, headers)

    async def on_invalid(request: Request, error: Exception) -> Response:
        # the framework's own answer would repeat the input
        return status_response(request, 422)

    async def on_limit(request: Request, error: Exception) -> Response:
        assert isinstance(error, RateLimitExceeded)
        return too_many(request, error)

    async def on_fault(request: Request, error: Exception) -> Response:
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
