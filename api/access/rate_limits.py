"""Rate limits, by slowapi: per project and tier on routes that need a token, per client address on the others.

An empty dependency carries each limit and runs after authentication, so the key is a verified project and not a claim. The
key is the scope and the project, never the path: another spelling of the path has the same counter. What slowapi does
not limit, and how it fails without Redis: docs/traps.md#slowapi-and-limits.
"""

from __future__ import annotations

import time
from typing import Any

from fastapi import Request, Response
from limits import RateLimitItem
from redis import RedisError
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded

from api.access.authentication import client_address
from api.access.slowapi_internals import Dependency, Key, count_in_memory, counted_limit, limited_dependency
from api.access.storage import SweepingMemoryStorage
from api.http.problems import problem_response
from api.settings import ApiSettings
from auth.scopes import TIERS
from datasets.refusal import Refusal

OPEN, PROJECT, FILES, PLANS, ADMINS = "open", "project", "files", "plans", "admins"
_REDIS_TIMEOUTS: dict[str, Any] = {"socket_timeout": 0.1, "socket_connect_timeout": 0.1}


class LimitsSwitchedOff(Refusal):
    """The environment would switch every limit off."""


class RateLimits:
    """The rate limits of one application: five dependencies, of which every route has one.

    `open` is for metadata, per address; `project` for questions, by the project's tier; `files` for released files, because
    readers that use ranges send many small requests for one table; `plans` as generous as `open`, since a plan gives no
    number; `admins` for requests of admins.
    """

    def __init__(self, settings: ApiSettings) -> None:
        """Raises LimitsSwitchedOff if the environment disables slowapi."""
        self._limiter = Limiter(
            key_func=client_address,
            strategy="sliding-window-counter",
            storage_uri=settings.redis_url or SweepingMemoryStorage.URI,
            storage_options=_REDIS_TIMEOUTS if settings.redis_url else {},
            in_memory_fallback_enabled=bool(settings.redis_url),
            key_prefix="daylight:sliding:",
            headers_enabled=False,
        )
        if not self._limiter.enabled:
            raise LimitsSwitchedOff(
                "RATELIMIT_ENABLED switches all limits off; remove it from the environment and from .env"
            )
        self.open = self._dependency(OPEN, settings.limit_open, client_address)
        self.files = self._dependency(FILES, settings.limit_files, _project_key)
        self.plans = self._dependency(PLANS, settings.limit_open, _project_key)
        self.admins = self._dependency(ADMINS, settings.limit_admin, _admin_key)
        # a limit per tier, each known now: slowapi takes 40 us a request for a limit that it has to look up
        self._tiers = {
            tier: self._dependency(PROJECT, settings.limit_of(tier), _project_key, name=f"{PROJECT}_{tier}")
            for tier in TIERS
        }

    def _dependency(self, scope: str, limit: str, key: Key, name: str = "") -> Dependency:
        return limited_dependency(self._limiter, name or scope, limit, scope, key)

    async def project(self, request: Request) -> None:
        """Count a request against the limit of its project's tier. Raises RateLimitExceeded."""
        await self._tiers.get(request.state.principal.tier, self._tiers[TIERS[0]])(request)

    def headers(self, request: Request) -> dict[str, str]:
        """The header fields that say how much is left: RateLimit-Policy, RateLimit, and X-RateLimit-*."""
        counted = counted_limit(request)
        if counted is None:
            return {}
        item, keys = counted
        name = _policy_name(keys)
        policy = {"RateLimit-Policy": f'"{name}";q={item.amount};w={item.get_expiry()}'}
        try:
            resets, remaining = self._limiter.limiter.get_window_stats(item, *keys)
        except RedisError:  # Redis failed after the request was counted, so what is left is not known
            count_in_memory(self._limiter)
            return policy
        wait = max(0, round(resets - time.time()))
        return policy | {
            "RateLimit": f'"{name}";r={remaining};t={wait}',
            "X-RateLimit-Limit": str(item.amount),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(wait),
        }

    def refund(self, request: Request) -> None:
        """Uncount a request that was answered by 304, or by a failure or refusal of the server's own (429, 5xx)."""
        counted = counted_limit(request)
        if counted is not None and not getattr(request.state, "over_limit", False):
            item, keys = counted
            try:
                self._limiter.limiter.hit(item, *keys, cost=-1)
            except RedisError:
                count_in_memory(self._limiter)

    def limit_exceeded_response(self, request: Request, error: RateLimitExceeded) -> Response:
        """429, with the name of the policy and the seconds to wait."""
        request.state.over_limit = True  # it was not counted, so there is nothing to refund
        headers = self.headers(request)
        assert error.limit is not None
        item: RateLimitItem = error.limit.limit
        name = headers["RateLimit-Policy"].split('"')[1] if headers else OPEN
        wait = max(1, int(headers.get("X-RateLimit-Reset", "1")))
        who = {OPEN: "this address", ADMINS: "this admin"}.get(name, "this project")
        return problem_response(
            request,
            429,
            "too-many-requests",
            "More requests than the limit allows",
            f"The policy {name!r} allows {who} {item}; ask again in {wait} s.",
            {"policy": name},
            {"Retry-After": str(wait)},  # the middleware adds the other fields to every answer
        )


def _policy_name(keys: list[Any]) -> str:
    return next((policy for policy in (PROJECT, FILES, PLANS, ADMINS) if policy in map(str, keys)), OPEN)


def _project_key(request: Request) -> str:
    principal = request.state.principal
    return f"{principal.tier}|{principal.project}"


def _admin_key(request: Request) -> str:
    return f"admin|{request.state.admin.admin}"
