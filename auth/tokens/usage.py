"""What each project uses in a day (UTC): counted in memory, written every few seconds, summed over all processes.

A process knows its own use at once, and the use that other processes have written at most `FRESH_SECONDS` late. So a quota
can be exceeded by what is answered in that time, and by no more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock

from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from auth.db.engine import fetch_rows, write_transaction
from auth.db.models import UsageDay
from auth.errors import RegistryUnavailable

FRESH_SECONDS = 5.0
DAYS_SHOWN = 31
_COUNTERS = ("requests", "rows", "bytes")


@dataclass(frozen=True, slots=True)
class Usage:
    """Numbers of answers, of their rows and of their bytes. A file that is downloaded counts in bytes only."""

    requests: int = 0
    rows: int = 0
    bytes: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.requests + other.requests, self.rows + other.rows, self.bytes + other.bytes)


class UsageStore:
    """Counts and stores the usage of all projects of a registry. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pending: dict[tuple[str, date], Usage] = {}
        self._known: dict[tuple[str, date], tuple[float, Usage]] = {}
        self._lock = Lock()

    def add(self, project: str, day: date, used: Usage) -> None:
        """Adds to a project's usage, in memory."""
        with self._lock:
            self._pending[project, day] = self._pending.get((project, day), Usage()) + used

    def usage_on(self, project: str, day: date) -> Usage:
        """What a project has used on a day. Raises RegistryUnavailable."""
        key = (project, day)
        with self._lock:
            read_at, known = self._known.get(key, (-FRESH_SECONDS, Usage()))
            pending = self._pending.get(key, Usage())
        if time.monotonic() - read_at < FRESH_SECONDS:
            return known + pending
        return self._read_day(key) + pending

    def _read_day(self, key: tuple[str, date]) -> Usage:
        project, day = key
        found = fetch_rows(
            self._engine,
            select(UsageDay.requests, UsageDay.rows, UsageDay.bytes).where(
                UsageDay.project_id == project, UsageDay.day == day
            ),
        )
        known = Usage(*found[0]) if found else Usage()
        with self._lock:  # earlier days are not asked for again
            self._known = {k: v for k, v in self._known.items() if k[1] >= day}
            self._known[key] = (time.monotonic(), known)
        return known

    def last_days(self, project: str, today: date) -> Sequence[tuple[date, Usage]]:
        """What a project used on each of the last days, the latest first. Raises RegistryUnavailable."""
        self.flush()
        found = fetch_rows(
            self._engine,
            select(UsageDay.day, UsageDay.requests, UsageDay.rows, UsageDay.bytes)
            .where(UsageDay.project_id == project, UsageDay.day > today - timedelta(days=DAYS_SHOWN))
            .order_by(UsageDay.day.desc()),
        )
        return [(row.day, Usage(row.requests, row.rows, row.bytes)) for row in found]

    def flush(self) -> int:
        """Writes what was counted since the last call; returns the number of rows, one for each project and day.

        If it cannot be written, it is kept for the next call. Raises RegistryUnavailable.
        """
        with self._lock:
            pending, self._pending = self._pending, {}
        if not pending:
            return 0
        try:
            with write_transaction(self._engine) as session:
                for (project, day), used in pending.items():
                    self._add_to_row(session, project, day, used)
        except RegistryUnavailable:
            for (project, day), used in pending.items():
                self.add(project, day, used)
            raise
        with self._lock:
            for key in pending:
                self._known.pop(key, None)
        return len(pending)

    def _add_to_row(self, session: Session, project: str, day: date, used: Usage) -> None:
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        row = insert(UsageDay).values(
            project_id=project, day=day, requests=used.requests, rows=used.rows, bytes=used.bytes
        )
        session.execute(
            row.on_conflict_do_update(
                index_elements=["project_id", "day"],
                set_={name: getattr(UsageDay, name) + row.excluded[name] for name in _COUNTERS},
            )
        )
