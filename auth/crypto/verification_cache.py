"""A cache of verified signatures: a token that is sent again costs no second ECDSA verification.

This is safe because text and key determine the result for ever. It does not authenticate: the claims are checked against the
clock, and the token, its project and its key against the registry, on every request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from threading import Lock

from cachetools import LRUCache
from jose.backends.base import Key

from auth.crypto.jwt import MAX_TOKEN_LENGTH, Claims, verify_signature

CACHE_SIZE = 10_000
"""Number of tokens."""


class VerificationCache:
    """An LRU cache from the SHA-256 of a token's text to its kid and claims. Texts are not kept. Thread-safe."""

    def __init__(self, find_key: Callable[[str], Key | None], size: int = CACHE_SIZE) -> None:
        self._find_key = find_key
        self._verified: LRUCache[bytes, tuple[str, Claims]] = LRUCache(size)
        self._lock = Lock()

    def verify(self, text: str) -> tuple[str, Claims]:
        """The kid and the claims of a text with a valid signature. Raises TokenRefused; refusals are not cached."""
        digest = _text_digest(text)
        with self._lock:
            found = self._verified.get(digest)
        if found is None:
            found = verify_signature(text, self._find_key)
            with self._lock:
                self._verified[digest] = found
        return found


def _text_digest(text: str) -> bytes:
    """SHA-256 of at most one character more than a token may have: that is enough to tell a text that is too long."""
    return hashlib.sha256(text[: MAX_TOKEN_LENGTH + 1].encode("utf-8", "surrogatepass")).digest()
