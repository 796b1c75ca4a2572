"""How often each may ask: slowapi, per project and tier where a token is needed, per address where none is.

An empty dependency carries the limit and stands behind authentication, so a key is a fact and not a claim. The key is
the scope and the project, never the address asked for: varying the path buys nothing.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from limits import RateLimitItem
from redis import RedisError
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded

from api.access.authentication import client_address
from api.access.storage import SweepingMemoryStorage
from api.http.problems import problem_response
from api.settings import ApiSettings
from auth.scopes import TIERS
from datasets.refusal import Refusal

OPEN, PROJECT, FILES, PLANS, ADMINS = "open", "project", "files", "plans", "admins"
_TIMEOUTS: dict[str, Any] = {"socket_timeout": 0.1, "socket_connect_timeout": 0.1}

Dependency = Callable[[Request], Awaitable[None]]


class LimitsSwitchedOff(Refusal):
    """The environment would switch every limit off."""


class RateLimits:
    """The limits of one application: five dependencies, one of which is on every route."""

    open: Dependency
    project: Dependency
    files: Dependency
    plans: Dependency
    admins: Dependency

    def __init__(self, settings: ApiSettings) -> None:
        self._limiter = Limiter(
            key_func=client_address,
            strategy="sliding-window-counter",
            storage_uri=settings.redis_url or SweepingMemoryStorage.URI,
            storage_options=_TIMEOUTS if settings.redis_url else {},
            in_memory_fallback_enabled=bool(settings.redis_url),
            key_prefix="daylight:sliding:",
            headers_enabled=False,
        )
        if not self._limiter.enabled:
            raise LimitsSwitchedOff(
                "RATELIMIT_ENABLED switches all limits off; remove it from the environment and from .env"
            )

        async def asked_openly(request: Request) -> None:
            """Metadata: open to all, within a limit per address."""

        async def fetched_by_project(request: Request) -> None:
            """Released files: readers that ask by ranges send many small requests for one table."""

        async def planned_by_project(request: Request) -> None:
            """Plans: as generously as metadata, since they give no number."""

        async def administered(request: Request) -> None:
            """The acts of an admin."""

        self.admins = self._limiter.shared_limit(settings.limit_admin, scope=ADMINS, key_func=_admin_key)(
            administered
        )
        self.plans = self._limiter.shared_limit(settings.limit_open, scope=PLANS, key_func=_project_key)(
            planned_by_project
        )
        self.files = self._limiter.shared_limit(settings.limit_files, scope=FILES, key_func=_project_key)(
            fetched_by_project
        )
        self.open = self._limiter.shared_limit(settings.limit_open, scope=OPEN)(asked_openly)
        of_tier = {tier: self._limit_of_tier(tier, settings.limit_of(tier)) for tier in TIERS}

        async def asked_by_project(request: Request) -> None:
            """Everything that needs a token: within the limit of the project's tier."""
            await of_tier.get(request.state.principal.tier, of_tier[TIERS[0]])(request)

        self.project = asked_by_project

    def _limit_of_tier(self, tier: str, limit: str) -> Dependency:
        """A limit known when the application is made: one that slowapi looks up for each request costs it 40 us."""

        async def asked(request: Request) -> None:
            """A project of this tier asks."""

        asked.__name__ = f"asked_by_{tier}"  # the name under which slowapi keeps the limit
        limited: Dependency = self._limiter.shared_limit(limit, scope=PROJECT, key_func=_project_key)(asked)
        return limited

    def headers(self, request: Request) -> dict[str, str]:
        """The fields that say how much is left: RateLimit-Policy, RateLimit, and X-RateLimit-* beside them."""
        limit: tuple[RateLimitItem, list[Any]] | None = getattr(request.state, "view_rate_limit", None)
        if limit is None:
            return {}
        item, keys = limit
        name = _policy_name(keys)
        policy = {"RateLimit-Policy": f'"{name}";q={item.amount};w={item.get_expiry()}'}
        try:
            resets, remaining = self._limiter.limiter.get_window_stats(item, *keys)
        except RedisError:  # it went away since the request was counted: what is left is not known
            self._fall_back_to_memory()
            return policy
        wait = max(0, round(resets - time.time()))
        return policy | {
            "RateLimit": f'"{name}";r={remaining};t={wait}',
            "X-RateLimit-Limit": str(item.amount),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(wait),
        }

    def refund(self, request: Request) -> None:
        """A request that was answered by nothing new (304), or by a fault or refusal of ours (429, 5xx), is not counted."""
        limit: tuple[RateLimitItem, list[Any]] | None = getattr(request.state, "view_rate_limit", None)
        if limit is not None and not getattr(request.state, "turned_away", False):
            item, keys = limit
            try:
                self._limiter.limiter.hit(item, *keys, cost=-1)
            except RedisError:
                self._fall_back_to_memory()

    def _fall_back_to_memory(self) -> None:
        """Falls back to memory as slowapi does when counting fails, so that one request waits for Redis and not each.

        slowapi asks by itself whether Redis is back.
        """
        self._limiter._storage_dead = True  # noqa: SLF001  slowapi has no other name for it

    def limit_exceeded_response(self, request: Request, error: RateLimitExceeded) -> Response:
        """429, naming the policy that was hit and when to come back."""
        request.state.turned_away = True  # beyond the limit nothing was counted that could be given back
        fields = self.headers(request)
        assert error.limit is not None
        item: RateLimitItem = error.limit.limit
        name = fields["RateLimit-Policy"].split('"')[1] if fields else OPEN
        wait = max(1, int(fields.get("X-RateLimit-Reset", "1")))
        who = {OPEN: "this address", ADMINS: "this admin"}.get(name, "this project")
        return problem_response(
            request,
            429,
            "too-many-requests",
            "More requests than the limit allows",
            f"The policy {name!r} allows {who} {item}; ask again in {wait} s.",
            {"policy": name},
            {"Retry-After": str(wait)},  # the other fields come with every answer
        )


def _policy_name(keys: list[Any]) -> str:
    return next((policy for policy in (PROJECT, FILES, PLANS, ADMINS) if policy in map(str, keys)), OPEN)


def _project_key(request: Request) -> str:
    principal = request.state.principal
    return f"{principal.tier}|{principal.project}"


def _admin_key(request: Request) -> str:
    return f"admin|{request.state.admin.admin}"


for _key in (_project_key, _admin_key, client_address):
    vars(_key)["__signature__"] = inspect.signature(_key)  # slowapi asks for it on each request
