"""The deadline of a question: a query that takes too long, or whose client has disconnected, is interrupted."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Timer
from types import TracebackType
from typing import Self

import duckdb
import numpy as np

from datasets.refusal import Refusal


class QuestionInterrupted(Refusal):
    """The deadline of a question passed, or its client disconnected, before it was answered."""


class Deadline:
    """Interrupts the queries that run under it after `seconds`, or when `interrupt` is called.

    With `has_timer=False` no timer thread is started: the creator calls `interrupt` in time.
    """

    def __init__(self, seconds: float, *, has_timer: bool = True) -> None:
        self._seconds = seconds
        self._is_over = Event()
        self._timer = Timer(seconds, self.interrupt) if has_timer else None
        self._cursor: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def interrupt(self) -> None:
        """Interrupt the running query and every later one. Safe to call from any thread."""
        self._is_over.set()
        cursor = self._cursor
        if cursor is not None:
            with suppress(duckdb.Error):
                cursor.interrupt()

    def fetch(
        self, cursor: duckdb.DuckDBPyConnection, sql: str, values: list[object]
    ) -> dict[str, np.ndarray]:
        """Run a query and return its columns by name. Raises QuestionInterrupted."""
        self._cursor = cursor
        try:
            if self._is_over.is_set():
                raise duckdb.InterruptException("over")
            return cursor.execute(sql, values).fetchnumpy()
        except duckdb.InterruptException:
            raise QuestionInterrupted(
                f"the question was stopped; it may take {self._seconds:g} seconds. Ask fewer groups or a shorter period"
            ) from None
        finally:
            self._cursor = None
