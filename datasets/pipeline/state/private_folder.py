"""The private folder, which holds raw rows, exact counts and the salt: only its owner may have access."""

from __future__ import annotations

from pathlib import Path

from datasets.refusal import Refusal


class NotPrivate(Refusal):
    """Others than its owner have access to the private folder."""


def ensure_private(folder: Path) -> None:
    """Create the private folder if it does not exist. Raises NotPrivate if others than its owner have access to it.

    Its mode is not corrected silently, since the operator must know that rows could have been read.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = folder.stat().st_mode & 0o777
    if mode & 0o077:
        raise NotPrivate(
            f"the private folder {folder} can be read by others than its owner (mode {mode:04o}), and it holds rows and "
            f"exact counts; restrict it with chmod 700 {folder}, and build again: nothing was spent"
        )
