"""ReleaseSigner: the functions with which a build signs and verifies releases and writes its actions to the audit log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _record_nothing(act: str, subject: str, reason: str) -> None:
    """Without a registry there is no audit log; the signed documents among the releases are the only record."""


@dataclass(frozen=True, slots=True)
class ReleaseSigner:
    """Three functions of the caller's, so that the pipeline knows no keys and no registry.

    `sign` returns the detached signature of bytes. `verify` raises if a signature does not match the bytes. `record` writes
    an action, the release and the reason to the audit log, and raises if that fails: the action is then not taken.
    """

    sign: Callable[[bytes], str]
    verify: Callable[[bytes, str], None]
    record: Callable[[str, str, str], None] = _record_nothing
