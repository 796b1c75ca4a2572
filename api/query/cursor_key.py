"""The key that cursors are signed with: a setting if several hosts serve the API, else a file that is created once."""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress

from api.settings import ApiSettings


def serving_copy_key(settings: ApiSettings) -> bytes:
    """The key with which this deployment seals its serving copies: derived, so that no cursor is ever a seal."""
    return hmac.digest(cursor_key(settings), b"daylight serving copies", "sha256")


def cursor_key(settings: ApiSettings) -> bytes:
    """The key of this deployment. It signs cursors, and the key of serving copies is derived from it; it gives no access."""
    if settings.cursor_key:
        return settings.cursor_key.encode()
    path = settings.home / "cursor.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    if not path.exists():
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):  # another process created it first
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()
