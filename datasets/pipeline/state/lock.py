"""One builder at a time: locks that their holder's death opens, and a marker for those who share storage alone.

Builders of one deployment share its ledger, wherever they run, so the ledger's lock decides between them: on PostgreSQL
a lock of the session, on SQLite a lock on a file beside the database. Both end with their holder. Builders with
different ledgers who were pointed at one folder of releases share nothing but that folder: there a marker, made by
linking, which is atomic also on network file systems, says who is at work (decisions/0011).
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
    """Another build, withdrawal or rollback is under way, and this one has to wait."""


class LockLost(Refusal):
    """The connection that held the builders' lock is gone, so another build may have begun."""


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a lock on a file. Raises BuildUnderWay where somebody else holds it."""
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildUnderWay(
                f"another build holds {path.name}, the lock beside the ledger; wait until it has ended and build again"
            ) from None
        yield


class SessionLock:
    """PostgreSQL's lock of one session: the server opens it when the connection ends, however it ends."""

    def __init__(self, engine: Engine) -> None:
        self._con = engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def take(self) -> None:
        """Raises BuildUnderWay where another session holds it."""
        if not self._con.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _BUILDERS}):
            raise BuildUnderWay(
                "another build holds the ledger's lock; wait until it has ended and build again"
            )

    def ensure_held(self) -> None:
        """Raises LockLost where the session has ended since."""
        try:
            self._con.scalar(text("SELECT 1"))
        except DBAPIError as error:
            raise LockLost(
                "the connection to the ledger was lost during the build, and with it the builders' lock, so nothing is "
                "published; the spend stays counted: build again"
            ) from error

    def close(self) -> None:
        """End the session, and with it the lock."""
        with suppress(DBAPIError):
            self._con.invalidate()  # a pooled connection would go on living, and hold the lock
        self._con.close()


@contextmanager
def releases_marker(root: Path, ledger: str) -> Iterator[None]:
    """Say in the folder of releases that a build with this ledger is under way; its lock must be held already.

    A marker of the same ledger was left by a builder that died, since it does not hold that lock: it is replaced.
    Raises BuildUnderWay where the marker is of another ledger.
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
            if path.read_text() == mine:  # one who lost the ledger's lock may find another's marker here
                path.unlink()


def _ensure_stale(path: Path, ledger: str) -> None:
    try:
        other = json.loads(path.read_text())
        if other["ledger"] == ledger:
            return
        process, host, since = (printable(str(other[name])) for name in ("process", "host", "since"))
        who = f"process {process} on {host}, since {since}"
    except FileNotFoundError:
        return  # it has ended just now
    except (ValueError, KeyError, TypeError):
        who = "somebody who left no name"
    raise BuildUnderWay(
        f"another build, with another ledger, is at work in these releases ({who}); check DAYLIGHT_LEDGER_URL, and if "
        f"that build is dead, remove the file {path.name} among the releases"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
