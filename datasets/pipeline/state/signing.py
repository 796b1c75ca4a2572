"""What the build is given to sign releases with and to put its acts on record; how either is done is not its business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _record_nothing(act: str, subject: str, reason: str) -> None:
    """What is done without a registry is on record in the releases alone."""


@dataclass(frozen=True, slots=True)
class ReleaseSigner:
    """`sign` gives the detached signature of bytes; `verify` raises where one does not fit them; `record` writes who did what
    to which release, and why, and raises where that cannot be written: then the act is not done."""

    sign: Callable[[bytes], str]
    verify: Callable[[bytes, str], None]
    record: Callable[[str, str, str], None] = _record_nothing
