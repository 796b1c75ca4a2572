"""The throttle of failed logins: an address that sends many bad tokens is refused for a while before a token is verified.

A token that was good within the last hour is not throttled, because researchers may share an address with an attacker. Each
process counts for itself. The throttle accepts no token: a token that passes it is verified next.
"""

from __future__ import annotations

import hashlib
import time

from cachetools import TTLCache
from limits import parse
from limits.strategies import SlidingWindowCounterRateLimiter

from api.access.storage import SweepingMemoryStorage
from datasets.refusal import Refusal

MAX_REMEMBERED = 10_000
REMEMBERED_FOR = 3600.0
"""Seconds for which a good token is remembered."""


class TooManyAttempts(Refusal):
    """Too many invalid tokens from one address."""

    wait: int = 1
    policy: str = "attempts"


class FailedLoginThrottle:
    """Counts refused tokens by address, and remembers digests of tokens that were good."""

    def __init__(self, limit: str) -> None:
        self._item = parse(limit)
        self._failures = SlidingWindowCounterRateLimiter(SweepingMemoryStorage())
        self._good: TTLCache[bytes, bool] = TTLCache(MAX_REMEMBERED, REMEMBERED_FOR)

    def ensure_not_throttled(self, address: str, text: str) -> bytes:
        """The token's digest, to record the outcome under. Raises TooManyAttempts, unless the token is remembered as good.

        A token that is not remembered counts as a failure before it is verified, so that the limit also holds for many
        requests at once.
        """
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
        if digest in self._good or self._failures.hit(self._item, address):
            return digest
        resets, _ = self._failures.get_window_stats(self._item, address)
        refusal = TooManyAttempts(
            f"Too many invalid tokens were sent from this address; at most {self._item} are checked. "
            "Check the token and try again later.",
            parameter="Authorization",
        )
        refusal.wait = max(1, round(resets - time.time()))
        raise refusal

    def record_failure(self, address: str, digest: bytes) -> None:
        """The token with this digest was refused or closed: it is forgotten.

        It is counted only if it was remembered; others were counted before.
        """
        if self._good.pop(digest, None) is not None:
            self._failures.hit(self._item, address)

    def record_success(self, address: str, digest: bytes) -> None:
        """The token with this digest was good: it is remembered, and no longer counts as a failure."""
        if digest not in self._good:
            self._failures.hit(self._item, address, cost=-1)
        self._good[digest] = True
