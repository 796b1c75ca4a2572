"""One builder at a time: a lock on the ledger, and a marker file among the releases.

Builders of one deployment share its ledger, wherever they run, so they lock the ledger: on PostgreSQL with an advisory lock
of the session, on SQLite with flock on a file next to the database. Both are released when the holder dies. Builders with
different ledgers, but by mistake the same folder of releases, are kept apart by a marker file in that folder. It is created
with a hard link, which is atomic on network file systems too (decisions/0011).
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from datasets.refusal import Refusal, printable

MARKER = ".builder"
_BUILDERS = 0x6461796D  # PostgreSQL's advisory lock for builders; the number is arbitrary and ours


class BuildUnderWay(Refusal):
    """Another build, withdrawal or rollback is under way; this one has to wait."""


class LockLost(Refusal):
    """The connection that held the builders' lock was lost, so another build may have begun."""


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive flock on a file. Raises BuildUnderWay if another process holds it."""
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildUnderWay(
                f"another build holds {path.name}, the lock file of the ledger; wait until it has ended and build again"
            ) from None
        yield


class SessionLock:
    """An advisory lock of a PostgreSQL session: the server releases it when the connection ends for whatever reason."""

    def __init__(self, engine: Engine) -> None:
        self._con = engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def take(self) -> None:
        """Take the lock. Raises BuildUnderWay if another session holds it."""
        if not self._con.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _BUILDERS}):
            raise BuildUnderWay(
                "another build holds the ledger's lock; wait until it has ended and build again"
            )

    def ensure_held(self) -> None:
        """Raises LockLost if the session has ended."""
        try:
            self._con.scalar(text("SELECT 1"))
        except DBAPIError as error:
            raise LockLost(
                "the connection to the ledger was lost during the build, and with it the builders' lock, so nothing is "
                "published; the spend stays counted: build again"
            ) from error

    def close(self) -> None:
        """End the session, which releases the lock."""
        with suppress(DBAPIError):
            self._con.invalidate()  # otherwise the pool keeps the connection open, and with it the lock
        self._con.close()


@contextmanager
def releases_marker(root: Path, ledger: str) -> Iterator[None]:
    """Keep a marker file in the folder of releases while a build with this ledger runs. The caller holds the ledger's lock.

    An existing marker of the same ledger is stale, since its builder no longer holds the lock; it is replaced. Raises
    BuildUnderWay if the marker belongs to another ledger.
    """
    root.mkdir(parents=True, exist_ok=True)
    path, fresh = root / MARKER, root / f"{MARKER}-{uuid.uuid4().hex}"
    mine = json.dumps(
        {
            "ledger": ledger,
            "host": socket.gethostname(),
            "process": os.getpid(),
            "since": _now(),
            "mark": fresh.name,
        }
    )
    try:
        fresh.write_text(mine)
        try:
            os.link(fresh, path)
        except FileExistsError:
            _ensure_stale(path, ledger)
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            # a builder that has lost the ledger's lock must not remove the marker of the next builder
            if path.read_text() == mine:
                path.unlink()


def _ensure_stale(path: Path, ledger: str) -> None:
    try:
        other = json.loads(path.read_text())
        if other["ledger"] == ledger:
            return
        process, host, since = (printable(str(other[name])) for name in ("process", "host", "since"))
        who = f"process {process} on {host}, since {since}"
    except FileNotFoundError:
        return  # the other build has just ended
    except (ValueError, KeyError, TypeError):
        who = "its marker file cannot be read"
    raise BuildUnderWay(
        f"another build, with another ledger, is using these releases ({who}); check DAYLIGHT_LEDGER_URL, and if "
        f"that build is dead, remove the file {path.name} among the releases"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
