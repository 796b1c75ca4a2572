"""The private folder: raw rows, exact counts and the salt lie in it, and nobody but its owner may look into it."""

from __future__ import annotations

from pathlib import Path

from datasets.refusal import Refusal


class NotPrivate(Refusal):
    """The private folder is open to others than its owner."""


def ensure_private(folder: Path) -> None:
    """Make the private folder where there is none. Raises NotPrivate where others than its owner have rights in it.

    It is not closed in silence: whoever opened it should know that rows could be read.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = folder.stat().st_mode & 0o777
    if mode & 0o077:
        raise NotPrivate(
            f"the private folder {folder} is open to others than its owner (mode {mode:04o}), and rows and exact counts lie "
            f"there; close it with chmod 700 {folder}, and build again: nothing was spent"
        )
