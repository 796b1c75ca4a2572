"""Places in a build at which a test steps in: to kill it there, or to let its disk be full.

Nothing outside the process can step in: no setting, no environment and no argument of a command leads here, and nothing
but a test arms a place, which a test looks for. In production a place is one look at a variable that is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_armed: ContextVar[Callable[[str], None] | None] = ContextVar("armed", default=None)


def failpoint(place: str) -> None:
    """Say that a build has come to this place."""
    act = _armed.get()
    if act is not None:
        act(place)


@contextmanager
def armed_failpoints(act: Callable[[str], None]) -> Iterator[None]:
    """Let `act` be called at every place that is reached in the block; for tests alone."""
    before = _armed.set(act)
    try:
        yield
    finally:
        _armed.reset(before)
