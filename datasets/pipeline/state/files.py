"""Files that survive a crash: written to the side, flushed to disk with fsync, and renamed into place."""

from __future__ import annotations

import os
import re
import uuid
from contextlib import suppress
from pathlib import Path

from datasets.pipeline.state.failpoints import failpoint

UNFINISHED_NAME = re.compile(r"\..+-[0-9a-f]{32}", re.ASCII)
"""Names of files and folders that were still being written."""


def replace_file(path: Path, content: bytes | memoryview, what: str) -> None:
    """Replace a file atomically: readers see the whole old file or the whole new one. `what` names it in failpoints."""
    fresh = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        fresh.write_bytes(content)
        failpoint(f"{what} written")
        flush(fresh)
        fresh.replace(path)
        failpoint(f"{what} replaced")
        flush(path.parent)
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()


def flush(path: Path) -> None:
    """Wait, with fsync, until a file or a folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
