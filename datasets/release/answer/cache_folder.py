"""The folder of a cache: only the user of this process may write to it, so what lies in it was put there by that user.

This is what makes the time of change of a file in it proof enough that its bytes are the same: whoever could open a file for
writing could map it into memory and edit it there, which changes no time until the kernel writes the page back.
"""

from __future__ import annotations

import fcntl
import logging
import math
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import TypeVar

log = logging.getLogger("daylight.release")

WAIT_AGAIN_SECONDS = 10.0
"""How long the lock is only tried, and not waited for, after it was waited for in vain."""
LOCK = ".lock"
_POLL_SECONDS = 0.05
# a link is not followed, and opening a named pipe does not wait for its other end
_LOCK_FLAGS = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

T = TypeVar("T")


class CacheFolderRefused(PermissionError):
    """Others than the user of this process may write to the folder of a cache; the text says what to do about it."""


class CacheFolderBusy(TimeoutError):
    """Another process holds the lock of the folder of a cache for too long."""


class CacheFolder:
    """A folder that this process' user alone may write to, and its lock. The folder is made when it is first locked.

    A lock that another process holds is waited for. If that was in vain, nobody waits for it as long again before
    `wait_again_seconds` have passed: it is tried, so that it is taken as soon as it is free.
    """

    def __init__(self, path: Path) -> None:
        # what is attached must lie where the connection may read, whatever the current folder is
        self.path = path.resolve()
        self.wait_again_seconds = WAIT_AGAIN_SECONDS
        self._vain_wait = (-math.inf, 0.0)  # when the last one ended, on the monotonic clock, and its seconds
        self._is_closing = Event()

    def stop_waiting(self) -> None:
        """From now on the lock is not waited for, also by a thread that waits already."""
        self._is_closing.set()

    def ensure_private(self) -> None:
        """Make the folder if it is missing, for this user alone. Raises CacheFolderRefused; OSError if it cannot be made."""
        self._ensure_known_to_duckdb()
        _make_folders(self.path)
        reason = why_not_private(self.path.stat())
        if reason:
            raise CacheFolderRefused(
                f"the folder of serving copies, {self.path} (DAYLIGHT_CACHE_DIR), {reason}: it must belong to the user that "
                f"runs Daylight, and nobody else may write to it; empty it, then chown it and chmod 700 {self.path}, or name "
                "another folder in DAYLIGHT_CACHE_DIR"
            )

    def _ensure_known_to_duckdb(self) -> None:
        """Raises CacheFolderRefused if DuckDB takes a character of the path for something else, and opens another file."""
        if any(character in str(self.path) for character in "?\\"):
            raise CacheFolderRefused(
                f"the folder of serving copies, {self.path} (DAYLIGHT_CACHE_DIR), has a question mark or a backslash in its "
                "path, and DuckDB cannot open files there; name another folder in DAYLIGHT_CACHE_DIR"
            )

    @property
    def times(self) -> tuple[int, ...]:
        """Its inode and times: they differ if a file in it was made, renamed or removed."""
        found = self.path.stat()
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the folder, which the kernel releases when the process ends.

        Raises CacheFolderRefused; CacheFolderBusy at once if another process holds it; OSError.
        """
        self.ensure_private()
        path = self.path / LOCK
        descriptor = _open_lock(path)
        try:
            _ensure_own_lock(path, descriptor)
            _lock(path, descriptor)
            yield
        finally:
            os.close(descriptor)

    def patiently(self, act: Callable[[], T], wait_seconds: float) -> T:
        """What `act` returns, which takes the lock; it is repeated for `wait_seconds` while another process holds the lock.

        `flock` itself has no time limit. Between two tries the thread holds nothing, so a thread that waits for long stops
        none that does not. Raises CacheFolderBusy, and what `act` raises.
        """
        try:
            return act()
        except CacheFolderBusy:
            if self._is_vain(wait_seconds):
                raise
        log.info("waiting for another process to release %s", self.path / LOCK)
        deadline = time.monotonic() + wait_seconds
        while not self._is_closing.wait(_POLL_SECONDS) and time.monotonic() < deadline:
            with suppress(CacheFolderBusy):
                return act()
        if not self._is_vain(wait_seconds):
            self._vain_wait = (time.monotonic(), wait_seconds)
        return act()

    def _is_vain(self, wait_seconds: float) -> bool:
        """Whether somebody waited as long as that in vain lately; a question's second does not shorten a refresh."""
        ended, seconds = self._vain_wait
        return seconds >= wait_seconds and time.monotonic() - ended < self.wait_again_seconds


def why_not_private(found: os.stat_result) -> str:
    """Why others than the user of this process may write to a file or folder; empty if nobody else may."""
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != os.geteuid():
        return f"belongs to the user {found.st_uid} and not to {os.geteuid()}, who runs this process"
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"may be written to by its group or by everybody (mode {mode:04o})"
    return ""


def _make_folders(path: Path) -> None:
    """Make a folder for this user alone, and its missing parents, to which nobody else may write whatever the umask."""
    for parent in reversed(path.parents):
        parent.mkdir(mode=0o755, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def _open_lock(path: Path) -> int:
    """The descriptor of the lock, made if it is missing. Raises CacheFolderRefused if something else lies there; OSError."""
    try:
        return os.open(path, _LOCK_FLAGS, 0o600)
    except OSError as error:
        if not os.path.lexists(path):
            raise
        raise CacheFolderRefused(
            f"the lock {path} cannot be opened by the user of this process ({error.strerror}); remove it"
        ) from None


def _ensure_own_lock(path: Path, descriptor: int) -> None:
    """Raises CacheFolderRefused. A lock that others may open, as earlier versions made it, is closed to them."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise CacheFolderRefused(f"the lock {path} is no regular file of the user of this process; remove it")
    if stat.S_IMODE(found.st_mode) != stat.S_IRUSR | stat.S_IWUSR:
        os.fchmod(descriptor, stat.S_IRUSR | stat.S_IWUSR)


def _lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CacheFolderBusy(
            f"another process holds the lock {path}, and it was waited for in vain; find it with `fuser {path}`, and end it "
            "only if it hangs"
        ) from None
