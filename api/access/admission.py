"""Letting a request in: the steps before a route that needs a token, in their order, as one dependency.

The token first, since the limit's key is its project; then the limit; then, where numbers are given, what is left of the
day's quota. FastAPI takes some fifteen microseconds for each dependency it solves, so the steps are calls and not a chain.
"""

from __future__ import annotations

from fastapi import Request

from api.access.authentication import authenticate_admin, authenticate_principal
from api.access.quota import ensure_quota_left
from api.access.rate_limits import Dependency


def admission(limit: Dependency, *, quota: bool) -> Dependency:
    """A dependency that lets a request in. Raises what `authenticate_principal`, the limit and `ensure_quota_left` raise."""

    async def admitted(request: Request) -> None:
        request.state.principal = await authenticate_principal(request)
        await limit(request)
        if quota:
            await ensure_quota_left(request)

    return admitted


def admin_admission(limit: Dependency) -> Dependency:
    """The same for admins, who have no quota."""

    async def admitted(request: Request) -> None:
        request.state.admin = await authenticate_admin(request)
        await limit(request)

    return admitted
