"""A file of a cache that is believed only while its bytes are those that were sealed when it was made.

The seal is an HMAC-SHA256 over the file's SHA-256 under a key that is not in the cache, so whoever can only write to the
cache can neither edit a file nor replace it by another. After the file was hashed, its size and times are compared instead:
the time of modification can be set back by anyone, the time of change (ctime) only by the kernel. A file that others may
write to is not believed at all: in memory that is mapped to it they could edit it without changing its times for a while.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import time
from pathlib import Path
from threading import Lock

from datasets.release.answer.cache_folder import why_not_private

_TICK_NS = 20_000_000
"""Longer than the steps, of at most 10 ms, in which the kernel counts the time of change of a file."""
# O_NONBLOCK: opening a named pipe must not wait for a writer
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

FileTimes = tuple[int, ...]


class FileChanged(OSError):
    """A file is not the one that was sealed; the text says what is wrong with it."""


class OpenFile:
    """A regular file that was opened and hashed; a link is not followed. Safe to use from several threads.

    The file stays open, so the state that is compared is that of the file that was hashed, whatever its path names now.
    Raises FileChanged if it is no regular file, or changes while it is hashed; OSError if it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._descriptor = open_regular(path)
        try:
            self.sha256, self._times = _hash(self._descriptor)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._is_closed = False

    @property
    def is_unchanged(self) -> bool:
        """Whether the file still has the contents that were hashed. If its times differ, it is hashed again."""
        with self._lock:
            if self._is_closed:
                return False
            if _times(os.fstat(self._descriptor)) == self._times:
                return True
            try:
                sha256, times = _hash(self._descriptor)
            except OSError:
                return False
            if sha256 == self.sha256:
                self._times = times
            return sha256 == self.sha256

    @property
    def is_at_its_path(self) -> bool:
        """Whether its path names the file that was hashed, with the state that it had then."""
        try:
            return _times(self.path.lstat()) == self._times
        except OSError:
            return False

    def ensure_private(self) -> None:
        """Raises FileChanged if others than the user of this process may write to the file."""
        _ensure_private(os.fstat(self._descriptor))

    def close(self) -> None:
        """Close the file. From then on it does not count as unchanged."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                os.close(self._descriptor)


def seal_of(name: str, fingerprint: str, sha256: str, key: bytes) -> str:
    """The seal of a file that was made from the release with this fingerprint, in hexadecimal."""
    return hmac.new(key, f"{fingerprint}\n{name}\n{sha256}".encode(), "sha256").hexdigest()


def read_seal(path: Path) -> tuple[str, str]:
    """The name of the file that a seal belongs to, and the seal. Raises FileChanged, OSError."""
    descriptor = open_regular(path)
    try:
        _ensure_private(os.fstat(descriptor))
        name, _, seal = os.read(descriptor, 1024).decode("ascii", "replace").strip().partition(" ")
    finally:
        os.close(descriptor)
    if Path(name).name != name or not name:
        raise FileChanged("its seal is malformed")
    return name, seal


def open_sealed(path: Path, fingerprint: str, seal: str, key: bytes) -> OpenFile:
    """A file whose bytes are those that were sealed. Raises FileChanged, OSError."""
    file = OpenFile(path)
    try:
        file.ensure_private()
        if not hmac.compare_digest(seal_of(path.name, fingerprint, file.sha256, key).encode(), seal.encode()):
            raise FileChanged("its contents are not those that were sealed")
    except BaseException:
        file.close()
        raise
    return file


def open_regular(path: Path) -> int:
    """Open a regular file for reading and return its descriptor; a link is not followed. Raises FileChanged, OSError."""
    descriptor = os.open(path, READ_FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileChanged("it is no regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def copy_and_hash(path: Path, target: Path) -> str:
    """Copy a regular file to a new one, and return the SHA-256 of what was written. Raises FileChanged, OSError."""
    digest = hashlib.sha256()
    with open(open_regular(path), "rb") as file, target.open("xb") as copy:
        while block := file.read(1 << 20):
            digest.update(block)
            copy.write(block)
    return digest.hexdigest()


def _hash(descriptor: int) -> tuple[str, FileTimes]:
    """The SHA-256 of an open file, and the state that it had before and after. Raises FileChanged, OSError."""
    before = os.fstat(descriptor)
    if abs(time.time_ns() - before.st_ctime_ns) < _TICK_NS:
        # an edit within the same step of the clock would leave the time of change as it is
        time.sleep(_TICK_NS / 1e9)
        before = os.fstat(descriptor)
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if _times(os.fstat(descriptor)) != _times(before):
        raise FileChanged("it changes while it is read")
    return sha256, _times(before)


def _ensure_private(found: os.stat_result) -> None:
    reason = why_not_private(found)
    if reason:
        raise FileChanged(f"it {reason}")


def _times(found: os.stat_result) -> FileTimes:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
