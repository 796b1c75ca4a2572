"""What the build is given to sign releases with; where keys live is not its business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seal:
    """`sign` gives the detached signature of bytes; `verify` raises where one does not fit them."""

    sign: Callable[[bytes], str]
    verify: Callable[[bytes, str], None]
