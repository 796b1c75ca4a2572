"""Everything that relies on the internals of slowapi.

Its version is bounded in pyproject.toml; tests/api/test_internals.py fails if slowapi changes what is used here.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from fastapi import Request
from limits import RateLimitItem
from slowapi import Limiter

Dependency: TypeAlias = Callable[[Request], Awaitable[None]]
Key: TypeAlias = Callable[[Request], str]


def limited_dependency(limiter: Limiter, name: str, limit: str, scope: str, key: Key) -> Dependency:
    """An empty dependency that counts each request against a limit.

    slowapi stores limits under the module and name of the decorated function: two functions of one name would share theirs.
    It calls inspect.signature(key) on each request, so the signature is computed once and stored where inspect looks first.
    """

    async def dependency(request: Request) -> None:
        """Only the limit around this function does something."""

    dependency.__name__ = name
    vars(key)["__signature__"] = inspect.signature(key)
    limited: Dependency = limiter.shared_limit(limit, scope=scope, key_func=key)(dependency)
    return limited


def counted_limit(request: Request) -> tuple[RateLimitItem, list[Any]] | None:
    """The limit that a request was counted against, with the keys of its counter; None if no limit was reached yet."""
    counted: tuple[RateLimitItem, list[Any]] | None = getattr(request.state, "view_rate_limit", None)
    return counted


def count_in_memory(limiter: Limiter) -> None:
    """Switch to counting in memory, as slowapi does if counting in Redis fails; it checks by itself whether Redis is back."""
    limiter._storage_dead = True  # noqa: SLF001  slowapi has no public name for it
