"""The key that cursors are signed with: a setting if several hosts serve the API, else a file that is created once."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from api.settings import MIN_KEY_LENGTH, ApiSettings
from datasets.refusal import Refusal
from datasets.release.answer.sealed_file import READ_FLAGS


class CursorKeyUnusable(Refusal):
    """The file of the key is not one that only the process' user could have written or read, or holds no key."""


def serving_copy_key(settings: ApiSettings) -> bytes:
    """The key with which this deployment seals its serving copies: derived, so that no cursor is ever a seal.

    Raises as `cursor_key` does.
    """
    return hmac.digest(cursor_key(settings), b"daylight serving copies", "sha256")


def cursor_key(settings: ApiSettings) -> bytes:
    """The key of this deployment. It signs cursors, and the key of serving copies is derived from it; it gives no access.

    Raises CursorKeyUnusable; OSError if the file cannot be created.
    """
    if settings.cursor_key:
        return settings.cursor_key.encode()
    path = settings.home / "cursor.key"
    if not os.path.lexists(path):
        _create(path)
    return _read(path)


def _create(path: Path) -> None:
    """Write a new key; nothing if another process was first. The file appears with its contents."""
    _create_home(path.parent)
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    with suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()


def _create_home(home: Path) -> None:
    """Create a folder for this user alone, and its missing parents, to which nobody else may write whatever the umask."""
    for parent in reversed(home.parents):
        parent.mkdir(mode=0o755, exist_ok=True)
    home.mkdir(mode=0o700, exist_ok=True)


def _read(path: Path) -> bytes:
    try:
        with os.fdopen(os.open(path, READ_FLAGS), "rb") as file:
            found = os.fstat(file.fileno())
            if problem := _problem_of(found):
                raise _unusable(path, problem)
            key = file.read().strip()
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror})") from None
    if len(key) < MIN_KEY_LENGTH:
        raise _unusable(path, f"holds {len(key)} characters and must hold {MIN_KEY_LENGTH} or more")
    return key


def _problem_of(found: os.stat_result) -> str:
    if not stat.S_ISREG(found.st_mode):
        return "is not a regular file"
    if found.st_uid != os.geteuid():
        return f"belongs to the user {found.st_uid}, and this process runs as the user {os.geteuid()}"
    if found.st_mode & 0o077:
        return f"is accessible to others than its owner (mode {found.st_mode & 0o777:04o})"
    return ""


def _unusable(path: Path, problem: str) -> CursorKeyUnusable:
    return CursorKeyUnusable(
        f"{path} {problem}; it must be a file of the user who serves, with mode 0600. Mend that, or remove it: a new key "
        "is then created, and cursors of the old one are refused"
    )
