"""Failpoints: named places in a build at which a test can kill the process or raise an error, such as a full disk.

Nothing outside the process can arm them: no setting, environment variable or command-line argument leads here, and a test
checks that only tests arm them. In production a failpoint reads one context variable, which is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_armed: ContextVar[Callable[[str], None] | None] = ContextVar("armed", default=None)


def failpoint(name: str) -> None:
    """Call the armed function, if there is one, with the name of this place."""
    act = _armed.get()
    if act is not None:
        act(name)


@contextmanager
def armed_failpoints(act: Callable[[str], None]) -> Iterator[None]:
    """Call `act` at every failpoint that is passed inside the block. For tests only."""
    before = _armed.set(act)
    try:
        yield
    finally:
        _armed.reset(before)
