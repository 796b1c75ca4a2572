"""How often each may ask: slowapi, per project and tier where a token is needed, per address where none is.

An empty dependency carries the limit and stands behind authentication, so a key is a fact and not a claim. The key is
the scope and the project, never the address asked for: varying the path buys nothing.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from limits import RateLimitItem
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded

from api.dependencies import address_of
from api.errors import problem
from api.settings import ApiSettings
from datasets.refusal import Refusal

OPEN, PROJECT, FILES, PLANS = "open", "project", "files", "plans"
_TIMEOUTS: dict[str, Any] = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}

Dependency = Callable[[Request], Awaitable[None]]


class LimitsSwitchedOff(Refusal):
    """The environment would switch every limit off."""


class Limits:
    """The limits of one application: four dependencies, one of which is on every route."""

    open: Dependency
    project: Dependency
    files: Dependency
    plans: Dependency

    def __init__(self, settings: ApiSettings) -> None:
        self._limiter = Limiter(
            key_func=address_of,
            strategy="sliding-window-counter",
            storage_uri=settings.redis_url or "memory://",
            storage_options=_TIMEOUTS if settings.redis_url else {},
            in_memory_fallback_enabled=bool(settings.redis_url),
            key_prefix="daylight:sliding:",
            headers_enabled=False,
        )
        if not self._limiter.enabled:
            raise LimitsSwitchedOff(
                "RATELIMIT_ENABLED switches all limits off; remove it from the environment and from .env"
            )

        def of_project(key: str) -> str:
            return settings.limit_of(key.split("|", 1)[0])

        async def asked_openly(request: Request) -> None:
            """Metadata: open to all, within a limit per address."""

        async def asked_by_project(request: Request) -> None:
            """Everything that needs a token: within the limit of the project's tier."""

        async def fetched_by_project(request: Request) -> None:
            """Released files: readers that ask by ranges send many small requests for one table."""

        async def planned_by_project(request: Request) -> None:
            """Plans: as generously as metadata, since they give no number."""

        self.plans = self._limiter.shared_limit(settings.limit_open, scope=PLANS, key_func=_project)(
            planned_by_project
        )
        self.files = self._limiter.shared_limit(settings.limit_files, scope=FILES, key_func=_project)(
            fetched_by_project
        )
        self.open = self._limiter.shared_limit(settings.limit_open, scope=OPEN)(asked_openly)
        self.project = self._limiter.shared_limit(of_project, scope=PROJECT, key_func=_project)(
            asked_by_project
        )

    def fields(self, request: Request) -> dict[str, str]:
        """The fields that say how much is left: RateLimit-Policy, RateLimit, and X-RateLimit-* beside them."""
        limit: tuple[RateLimitItem, list[Any]] | None = getattr(request.state, "view_rate_limit", None)
        if limit is None:
            return {}
        item, keys = limit
        resets, remaining = self._limiter.limiter.get_window_stats(item, *keys)
        wait, name = max(0, round(resets - time.time())), _policy(keys)
        return {
            "RateLimit-Policy": f'"{name}";q={item.amount};w={item.get_expiry()}',
            "RateLimit": f'"{name}";r={remaining};t={wait}',
            "X-RateLimit-Limit": str(item.amount),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(wait),
        }

    def too_many(self, request: Request, error: RateLimitExceeded) -> Response:
        """429, naming the policy that was hit and when to come back."""
        fields = self.fields(request)
        assert error.limit is not None
        item: RateLimitItem = error.limit.limit
        name = fields["RateLimit-Policy"].split('"')[1] if fields else OPEN
        wait = max(1, int(fields.get("X-RateLimit-Reset", "1")))
        who = "this address" if name == OPEN else "this project"
        return problem(
            request,
            429,
            "too-many-requests",
            "More requests than the limit allows",
            f"The policy {name!r} allows {who} {item}; ask again in {wait} s.",
            {"policy": name},
            {"Retry-After": str(wait)},  # the other fields come with every answer
        )


def _policy(keys: list[Any]) -> str:
    return next((policy for policy in (PROJECT, FILES, PLANS) if policy in map(str, keys)), OPEN)


def _project(request: Request) -> str:
    principal = request.state.principal
    return f"{principal.tier}|{principal.project}"
