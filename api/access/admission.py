"""Admission: the steps before a route that needs a token, in their order, as one dependency.

First the token, since the key of the rate limit is its project; then the rate limit; then, if numbers are served, the rest of
the day's quota. FastAPI takes some fifteen microseconds for each dependency it solves, so the steps are calls, not a chain.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from fastapi import Request

from api.access.authentication import authenticate_admin, authenticate_principal
from api.access.quota import ensure_quota_left

Admission: TypeAlias = Callable[[Request], Awaitable[None]]


def admission(limit: Admission, *, quota: bool) -> Admission:
    """A dependency that admits a project. Raises what `authenticate_principal`, the limit and `ensure_quota_left` raise."""

    async def admit(request: Request) -> None:
        request.state.principal = await authenticate_principal(request)
        await limit(request)
        if quota:
            await ensure_quota_left(request)

    return admit


def admin_admission(limit: Admission) -> Admission:
    """A dependency that admits an admin, who has no quota. Raises what `authenticate_admin` and the limit raise."""

    async def admit(request: Request) -> None:
        request.state.admin = await authenticate_admin(request)
        await limit(request)

    return admit
