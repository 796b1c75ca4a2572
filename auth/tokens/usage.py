"""What a project takes in a day (UTC): gathered in memory, written every few seconds, added up over processes.

A process knows at once what it gave itself and within `FRESH` seconds what others gave, so a quota can be overrun by what is
given in between, never by more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock

from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite

from auth.db.engine import fetch_rows, write_transaction
from auth.db.models import UsageDay
from auth.errors import RegistryUnavailable

FRESH_SECONDS = 5.0
DAYS_SHOWN = 31
_COUNTERS = ("requests", "rows", "bytes")


@dataclass(frozen=True, slots=True)
class Usage:
    """Answers, their rows and their bytes. Files have bytes alone."""

    requests: int = 0
    rows: int = 0
    bytes: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.requests + other.requests, self.rows + other.rows, self.bytes + other.bytes)


class UsageStore:
    """The books of a registry's usage. Safe from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pending: dict[tuple[str, date], Usage] = {}
        self._known: dict[tuple[str, date], tuple[float, Usage]] = {}
        self._lock = Lock()

    def add(self, project: str, day: date, taken: Usage) -> None:
        """Something was given to a project."""
        with self._lock:
            self._pending[project, day] = self._pending.get((project, day), Usage()) + taken

    def usage_on(self, project: str, day: date) -> Usage:
        """What a project has taken in a day. Raises RegistryUnavailable."""
        key = (project, day)
        with self._lock:
            asked, known = self._known.get(key, (-FRESH_SECONDS, Usage()))
            pending = self._pending.get(key, Usage())
        if time.monotonic() - asked < FRESH_SECONDS:
            return known + pending
        return self._read_day(key) + pending

    def _read_day(self, key: tuple[str, date]) -> Usage:
        found = fetch_rows(
            self._engine,
            select(UsageDay.requests, UsageDay.rows, UsageDay.bytes).where(
                UsageDay.project_id == key[0], UsageDay.day == key[1]
            ),
        )
        known = Usage(*found[0]) if found else Usage()
        with self._lock:
            self._known = {
                k: v for k, v in self._known.items() if k[1] >= key[1]
            }  # yesterday's are of no use
            self._known[key] = (time.monotonic(), known)
        return known

    def last_days(self, project: str, today: date) -> Sequence[tuple[date, Usage]]:
        """What a project took on each of the last days, the latest first. Raises RegistryUnavailable."""
        self.flush()
        found = fetch_rows(
            self._engine,
            select(UsageDay.day, UsageDay.requests, UsageDay.rows, UsageDay.bytes)
            .where(UsageDay.project_id == project, UsageDay.day > today - timedelta(days=DAYS_SHOWN))
            .order_by(UsageDay.day.desc()),
        )
        return [(row.day, Usage(row.requests, row.rows, row.bytes)) for row in found]

    def flush(self) -> int:
        """Writes what was gathered; gives the number of projects' days. What cannot be written is kept for the next time.

        Raises RegistryUnavailable.
        """
        with self._lock:
            pending, self._pending = self._pending, {}
        if not pending:
            return 0
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        try:
            with write_transaction(self._engine) as session:
                for (project, day), taken in pending.items():
                    made = insert(UsageDay).values(
                        project_id=project,
                        day=day,
                        requests=taken.requests,
                        rows=taken.rows,
                        bytes=taken.bytes,
                    )
                    session.execute(
                        made.on_conflict_do_update(
                            index_elements=["project_id", "day"],
                            set_={part: getattr(UsageDay, part) + made.excluded[part] for part in _COUNTERS},
                        )
                    )
        except RegistryUnavailable:
            with self._lock:
                for key, taken in pending.items():
                    self._pending[key] = self._pending.get(key, Usage()) + taken
            raise
        with self._lock:
            for key in pending:
                self._known.pop(key, None)
        return len(pending)
