"""Admission: the steps before a route that needs a token, in their order, as one dependency.

First the token, since the key of the rate limit is its project; then the rate limit; then, if numbers are served, the rest of
the day's quota. FastAPI takes some fifteen microseconds for each dependency it solves, so the steps are calls, not a chain.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias

from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from api.access.authentication import authenticate_admin, authenticate_principal
from api.access.quota import QuotaSpent, ensure_quota_left
from api.access.throttle import TooManyAttempts
from api.http.router import NOT_FOUND
from api.refusals import Malformed, TokenMissing, TooLarge
from auth.admins.roles import RoleTooSmall
from auth.errors import (
    ChainBroken,
    KeyUnusable,
    MalformedValue,
    NotAllowed,
    RegistryUnavailable,
    TokenRefused,
    UnknownRecord,
)

Step: TypeAlias = Callable[[Request], Awaitable[None]]

CHANGE_REFUSALS = (RegistryUnavailable, KeyUnusable, ChainBroken)
"""What every change of the registry may raise."""
_TOKEN_REFUSALS = (TokenMissing, TokenRefused, TooManyAttempts, RegistryUnavailable)
_ADMIN_REFUSALS = (Malformed, MalformedValue, NotAllowed, UnknownRecord, RoleTooSmall, TooLarge, NOT_FOUND)


class Admission(SecurityBase):
    """A dependency that takes these steps. The description has it as a security scheme with its refusals."""

    def __init__(
        self,
        scheme: Literal["token", "session"],
        steps: tuple[Step, ...],
        refusals: tuple[type[Exception] | str, ...],
    ) -> None:
        self.scheme_name = scheme
        self.model = HTTPBearer(bearerFormat="JWT")
        self.raises = (*_TOKEN_REFUSALS, *refusals)
        self._steps = steps

    async def __call__(self, request: Request) -> None:
        for step in self._steps:
            await step(request)


def admission(limit: Step, *, quota: bool) -> Admission:
    """A dependency that admits a project. Raises what `authenticate_principal`, the limit and `ensure_quota_left` raise."""

    async def authenticate(request: Request) -> None:
        request.state.principal = await authenticate_principal(request)

    if quota:
        return Admission("token", (authenticate, limit, ensure_quota_left), (QuotaSpent,))
    return Admission("token", (authenticate, limit), ())


def admin_admission(limit: Step) -> Admission:
    """A dependency that admits an admin, who has no quota. Raises what `authenticate_admin` and the limit raise.

    The refusals of every operation of admins are declared here.
    """

    async def authenticate(request: Request) -> None:
        request.state.admin = await authenticate_admin(request)

    return Admission("session", (authenticate, limit), (*CHANGE_REFUSALS, *_ADMIN_REFUSALS))
