"""Letting a request in: the steps before a route that needs a token, in their order, as one dependency.

The token first, since the limit's key is its project; then the limit; then, where numbers are given, what is left of the
day's quota. FastAPI takes some fifteen microseconds for each dependency it solves, so the steps are calls and not a chain.
"""

from __future__ import annotations

from fastapi import Request

from api.access.quota import ensure_left
from api.access.rate_limits import Dependency
from api.dependencies import admin_of, principal_of


def admission(limit: Dependency, *, quota: bool) -> Dependency:
    """A dependency that lets a request in. Raises what `principal_of`, the limit and `ensure_left` raise."""

    async def admitted(request: Request) -> None:
        request.state.principal = await principal_of(request)
        await limit(request)
        if quota:
            await ensure_left(request)

    return admitted


def admin_admission(limit: Dependency) -> Dependency:
    """The same for admins, who have no quota."""

    async def admitted(request: Request) -> None:
        request.state.admin = await admin_of(request)
        await limit(request)

    return admitted
