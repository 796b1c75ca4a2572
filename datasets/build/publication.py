"""Putting a release where readers look: all of it at once, or nothing.

Files are written into a staging folder beside the releases, flushed to disk, and the folder is renamed; then the
month's pointer is replaced. A reader sees the old release or the new one, never a part.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from datasets.build.seal import Seal
from datasets.refusal import Refusal
from datasets.release.signed import Signed, signed_bytes


class BuildUnderWay(Refusal):
    """Another build holds the lock."""


@contextmanager
def only_builder(private: Path) -> Iterator[None]:
    """Hold the lock of this deployment's builds. Raises BuildUnderWay where somebody else holds it."""
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (private / "build.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildUnderWay(
                f"another build holds {private / 'build.lock'}; wait until it has ended and build again"
            ) from None
        yield


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A staging folder that becomes `folder` when the block ends well, and vanishes when it does not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = folder.parent / f".staging-{uuid.uuid4().hex}"
    staging.mkdir()
    try:
        yield staging
        for path in staging.iterdir():
            flush(path)
        flush(staging)
        if folder.exists():
            raise Refusal(f"the release {folder.name} exists already; releases are never edited")
        staging.rename(folder)
        flush(folder.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def point(pointer: Path, name: str) -> None:
    """Let a month's pointer name another release, atomically."""
    replace_file(pointer, f"{name}\n".encode())


def publish_signed(path: Path, text: bytes, seal: Seal) -> None:
    """Put a signed document where readers look, in place of an earlier one, atomically."""
    signature = seal.sign(text)
    seal.verify(text, signature)
    replace_file(path, signed_bytes(Signed(text, signature)))


def replace_file(path: Path, content: bytes) -> None:
    """Write a file anew: readers see all of the old one or all of the new one."""
    fresh = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        fresh.write_bytes(content)
        flush(fresh)
        fresh.replace(path)
        flush(path.parent)
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()


def flush(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
