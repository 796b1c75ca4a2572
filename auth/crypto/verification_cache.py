"""Signatures that were good: a text verified once need not be verified again, since text and key decide it for ever.

Nothing here lets anybody in. What a token says is held against the clock and the registry on every request, its key's
standing included; only the elliptic curve is spared.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from jose.backends.base import Key

from auth.crypto.jwt import LONGEST_TEXT, Claims, verify_signature

MOST_KEPT = 10_000


class VerificationCache:
    """What verified texts say, by their SHA-256: no text is kept. Safe from several threads."""

    def __init__(self, key_of: Callable[[str], Key | None], most: int = MOST_KEPT) -> None:
        self._key_of = key_of
        self._most = most
        self._kept: OrderedDict[bytes, tuple[str, Claims]] = OrderedDict()
        self._lock = Lock()

    def verify(self, text: str) -> tuple[str, Claims]:
        """The kid and the claims of a text with a good signature. Raises TokenRefused, also a second time."""
        digest = _text_digest(text)
        with self._lock:
            found = self._kept.get(digest)
            if found is not None:
                self._kept.move_to_end(digest)
                return found
        found = verify_signature(text, self._key_of)
        with self._lock:
            self._kept[digest] = found
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found


def _text_digest(text: str) -> bytes:
    """Of at most one character more than a token may have: the rest of what is too long cannot make it good."""
    return hashlib.sha256(text[: LONGEST_TEXT + 1].encode("utf-8", "surrogatepass")).digest()
