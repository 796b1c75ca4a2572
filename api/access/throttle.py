"""The gate before authentication: an address that shows bad tokens is not listened to for a while, so a flood costs nothing.

A token that was good a while ago keeps working behind the same address: researchers share one with whoever guesses. Each
process counts for itself; nothing here lets anybody in, or tells good tokens from bad ones.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict

from limits import parse
from limits.strategies import SlidingWindowCounterRateLimiter

from api.access.storage import SweepingMemoryStorage
from datasets.refusal import Refusal

MOST_KNOWN = 10_000
KNOWN_FOR = 3600.0
"""Seconds for which a token that was good is known."""


class TooManyAttempts(Refusal):
    """Too many tokens from one address that open nothing."""

    wait: int = 1
    policy: str = "attempts"


class FailedLoginThrottle:
    """Counts what was refused, by address."""

    def __init__(self, limit: str) -> None:
        self._item = parse(limit)
        self._counts = SlidingWindowCounterRateLimiter(SweepingMemoryStorage())
        self._known: OrderedDict[bytes, float] = OrderedDict()

    def ensure_not_throttled(self, address: str, text: str) -> bytes:
        """Under what name to say whether this token was good. Raises TooManyAttempts, unless it was a while ago.

        A token that is not known is counted before it is looked up, so that many at once are not all let by.
        """
        name = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
        if self._is_known(name) or self._counts.hit(self._item, address):
            return name
        resets, _ = self._counts.get_window_stats(self._item, address)
        refusal = TooManyAttempts(
            f"Too many tokens from this address were refused: {self._item} are tried. Check the token, and ask again later.",
            parameter="Authorization",
        )
        refusal.wait = max(1, round(resets - time.time()))
        raise refusal

    def record_failure(self, address: str, name: bytes) -> None:
        """The token of this name opened nothing. Those that were not known were counted when they came."""
        if self._known.pop(name, None) is not None:
            self._counts.hit(self._item, address)

    def record_success(self, address: str, name: bytes) -> None:
        """The token of this name was good, so that it came is not held against its address."""
        if not self._is_known(name):
            self._counts.hit(self._item, address, cost=-1)
        self._known[name] = time.monotonic()
        self._known.move_to_end(name)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def _is_known(self, name: bytes) -> bool:
        return time.monotonic() - self._known.get(name, -KNOWN_FOR) < KNOWN_FOR
