"""The open releases: of each month the one that its pointer names, or the last good one before it.

Hashing, verifying and making a serving copy take long. They happen without the lock that readers need: the open release is
served until the new one is ready to take its place.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, RLock, Thread

import duckdb

from datasets.refusal import Refusal, nearest, printable
from datasets.release.answer.cache_folder import CacheFolder
from datasets.release.answer.copy_cache import CopyCache
from datasets.release.answer.release import Release, open_release
from datasets.release.answer.serving_connection import open_serving_connection
from datasets.release.format import layout
from datasets.release.format.errata import ReleaseWithdrawn
from datasets.release.format.verification import ReleaseDamaged, ReleaseUnavailable, Verify
from datasets.release.store.history import ReleaseHistory
from datasets.release.store.ledger_check import LedgerCheck

LATEST = "latest"
REFRESH_WAIT_SECONDS = 30.0
"""How long a look waits in all for a process that holds the lock of the cache; in vain, one 10 s later waits again."""
RETRY_SECONDS = 10.0
"""How long after a failure that lies outside of a release, such as a full disk, opening it is tried again."""

log = logging.getLogger("daylight.release")


class UnknownRelease(Refusal):
    """A release that does not exist."""


@dataclass
class _MonthState:
    """The contents of a month's pointer at the last look, the release that is served for it, and the state of its files."""

    pointer: str
    file_state: layout.FileState = ()
    release: Release | None = None
    problem: str = ""
    withdrawn: frozenset[str] = frozenset()
    failed_at: float | None = None
    """When it could not be opened for a reason outside of the release, on the monotonic clock; it is then tried again."""
    cause: str = ""
    """That reason, for the log only: it may contain paths."""

    @property
    def seen(self) -> tuple[str, frozenset[str], layout.FileState]:
        """What decides whether the month has to be looked at again."""
        return self.pointer, self.withdrawn, self.file_state


class ReleaseStore:
    """The releases under a directory. Safe to use from several threads.

    If anything is wrong with a release, the last good one of its month goes on being served and `degraded` says so.
    New releases are looked for when somebody asks, at most every `refresh_seconds`; after `watch`, in a thread. Without
    `attach_copies`, a serving copy is made when its release is first asked, not when it is opened.
    """

    def __init__(
        self,
        directory: Path,
        cache: Path,
        verify: Verify,
        datasets: tuple[str, ...],
        refresh_seconds: float = 1.0,
        cache_key: bytes | None = None,
        attach_copies: bool = True,
    ) -> None:
        self.directory, self.datasets, self.refresh_seconds = directory, datasets, refresh_seconds
        self._attach_copies = attach_copies
        self.history = ReleaseHistory(directory, verify)
        folder = CacheFolder(cache)
        self.connection = open_serving_connection(folder.path)
        self.generation = 0
        """Grows when something is released or withdrawn, or a problem appears or ends: what was derived is then outdated."""
        self._verify = verify
        # without a key, copies of other processes are not believed
        self._copies = CopyCache(self.connection, folder, cache_key or secrets.token_bytes(32))
        self._ledger = LedgerCheck(directory, verify)
        self._months: dict[tuple[str, str], _MonthState] = {}
        self._open_by_name: dict[tuple[str, str], Release] = {}
        self.retry_seconds = RETRY_SECONDS
        self._refreshed_at = -1e9
        self._lock = RLock()  # guards the two dictionaries; held for moments only
        self._refreshing = Lock()  # held by the one thread that looks for new releases, while it opens them
        self._verifying = Lock()  # a release that two threads need is verified once
        self._watcher: Thread | None = None
        self._is_closing = Event()
        self.refresh()

    def close(self) -> None:
        """Stop the watching thread, detach every serving copy and close the connection."""
        self._is_closing.set()
        self._copies.stop_waiting()
        if self._watcher is not None:
            self._watcher.join()
        with self._refreshing, self._lock:
            self._copies.close()
            self.connection.close()

    def watch(self) -> None:
        """From now on look for new releases in a thread, so that no reader waits while one is opened."""
        self._watcher = Thread(target=self._refresh_periodically, name="releases", daemon=True)
        self._watcher.start()

    def _refresh_periodically(self) -> None:
        while not self._is_closing.wait(self.refresh_seconds):
            try:
                self.refresh()
            except Exception:
                log.exception("looking for new releases failed; the open ones are served on")

    @property
    def degraded(self) -> tuple[str, ...]:
        """One sentence for each month that cannot be served as its pointer says, and one for a ledger that was set back."""
        with self._lock:
            problems = [month.problem for month in self._months.values()]
        return tuple(problem for problem in (*problems, self._ledger.problem) if problem)

    def refresh(self) -> None:
        """Read the pointers, and verify and open the releases that they newly name."""
        with self._refreshing:
            self._refreshed_at = time.monotonic()
            if self._ledger.reload():
                self._recheck_problems()
            for dataset in self.datasets:
                known = {month for name, month in self._months if name == dataset}
                for month in sorted(known.union(layout.released_months(self.directory, dataset))):
                    self._refresh_month(dataset, month)

    def _recheck_problems(self) -> None:
        """The ledger has changed: a release that could not be served may be whole now."""
        for month in self._months.values():
            if month.problem:
                month.file_state = ()

    def _refresh_month(self, dataset: str, month: str) -> None:
        pointer = _read_pointer(layout.pointer_file(self.directory, dataset, month))
        known = self._months.get((dataset, month))
        folder = layout.release_folder(self.directory, dataset, pointer)
        file_state = layout.folder_state(folder) if _is_release_of(month, pointer) else ()
        withdrawn = layout.withdrawn_releases(self.directory, dataset, month)
        is_same = known is not None and known.seen == (pointer, withdrawn, file_state)
        if known and is_same and not self._is_retry_due(known):
            return
        last = known.release if known and known.release and known.release.name not in withdrawn else None
        state = _MonthState(pointer, file_state, last, withdrawn=withdrawn)
        is_all_withdrawn = not pointer and last is None and bool(withdrawn)
        if not is_all_withdrawn:
            self._open_current(dataset, month, state)
        _log_problem(f"{dataset} {month}", known.problem if known else "", state)
        is_new = not (is_same and known and (known.release, known.problem) == (state.release, state.problem))
        with self._lock:
            self._months[dataset, month] = state
            self.generation += is_new

    def _is_retry_due(self, month: _MonthState) -> bool:
        return month.failed_at is not None and time.monotonic() - month.failed_at >= self.retry_seconds

    def _open_current(self, dataset: str, month: str, state: _MonthState) -> None:
        """Open the release that the pointer names, or leave the last good one and write down the problem."""
        try:
            if not _is_release_of(month, state.pointer):
                raise ReleaseDamaged("its pointer is missing, a link, or names no release of that month")
            release = self._verify_and_open(dataset, state.pointer)
            if self._attach_copies:
                release.serving_copy.attach(REFRESH_WAIT_SECONDS)
            state.release = release
        except ReleaseWithdrawn:
            state.release = None
        except (Refusal, ValueError) as error:
            reason = error.sentence if isinstance(error, Refusal) else type(error).__name__
            state.problem = f"{dataset} {month}: {reason}"
        except (OSError, duckdb.Error) as error:
            state.failed_at = time.monotonic()
            state.problem = f"{dataset} {month}: its files or its serving copy cannot be read or written"
            state.cause = f", and tried again every {self.retry_seconds:g} seconds: {error}"

    def _verify_and_open(self, dataset: str, name: str) -> Release:
        """The release of this name, verified; again if its files have changed. Raises a Refusal, or OSError."""
        self.ensure_not_withdrawn(dataset, name)
        with self._verifying:
            known = self._open_by_name.get((dataset, name))
            if known is not None and known.is_unchanged:
                return known
            folder = layout.release_folder(self.directory, dataset, name)
            release = open_release(folder, self._verify, self._copies)
            self._ledger.ensure_contains(release.manifest)
            with self._lock:
                self._open_by_name[dataset, name] = release
            return release

    def find(self, dataset: str, name: str) -> Release:
        """The release of this name, or the latest month's for `latest`.

        Its description needs no cache. Raises UnknownRelease, ReleaseWithdrawn, ReleaseDamaged, ReleaseUnavailable.
        """
        current = self.current(dataset)
        names = self.history.names(dataset)
        if name == LATEST and current:
            return current[-1]
        if name == LATEST and self.has_problem(dataset):
            raise ReleaseUnavailable(
                f"no current release of {dataset} can be served at the moment; name one, or ask again later"
            )
        if name not in names:
            allowed = [LATEST, *names] if current else list(names)
            raise UnknownRelease(
                f"release={printable(name)} of {dataset} does not exist; there are {', '.join(names[-6:]) or 'none'}",
                parameter="release",
                value=name,
                allowed=allowed,
                suggestions=nearest(name, names),
            )
        return self._open(dataset, name)

    def _open(self, dataset: str, name: str) -> Release:
        """The release of this name. One that this process has not opened yet is verified and opened, which takes a while."""
        self.ensure_not_withdrawn(dataset, name)
        with self._lock:
            known = self._open_by_name.get((dataset, name))
        if known is not None:
            return known
        try:
            return self._verify_and_open(dataset, name)
        except (OSError, duckdb.Error) as error:
            raise ReleaseUnavailable(
                f"release {name} of {dataset} cannot be read now; ask again later"
            ) from error

    def is_open(self, dataset: str, name: str) -> bool:
        """Whether `find` has nothing to open: the release is open, or does not exist."""
        with self._lock:
            return (dataset, name) in self._open_by_name or name not in self.history.names(dataset)

    def current(self, dataset: str) -> tuple[Release, ...]:
        """The current release of each month, the earliest first."""
        if self._watcher is None and time.monotonic() - self._refreshed_at > self.refresh_seconds:
            self.refresh()
        with self._lock:
            states = [state for (name, _), state in sorted(self._months.items()) if name == dataset]
        return tuple(state.release for state in states if state.release is not None)

    def has_problem(self, dataset: str) -> bool:
        """Whether a month of this dataset cannot be served as its pointer says."""
        with self._lock:
            return any(name == dataset and month.problem for (name, _), month in self._months.items())

    def ensure_not_withdrawn(self, dataset: str, name: str) -> None:
        """Raises ReleaseWithdrawn if the release of this name was withdrawn, however short a time ago."""
        erratum = self.history.erratum(dataset, name)
        if erratum is not None:
            raise ReleaseWithdrawn(
                erratum, _read_pointer(layout.pointer_file(self.directory, dataset, erratum.month))
            )

    def ensure_none_withdrawn(self, releases: Iterable[Release]) -> None:
        """Raises ReleaseWithdrawn if one of these releases was withdrawn, however short a time ago."""
        for release in releases:
            self.ensure_not_withdrawn(release.manifest.dataset, release.name)

    def ensure_months_not_withdrawn(self, dataset: str, months: tuple[str, ...]) -> None:
        """Raises ReleaseWithdrawn if the last release of one of these months was withdrawn."""
        for name in reversed(self.history.names(dataset)):
            if name.split(".")[0] in months:
                self.ensure_not_withdrawn(dataset, name)


def _log_problem(month: str, before: str, now: _MonthState) -> None:
    if now.problem and now.problem != before:
        served = "what was good before" if now.release else "nothing of this month"
        log.warning("serving %s: %s%s", served, now.problem, now.cause)
    elif before and not now.problem:
        log.warning("%s is served as its pointer says again", month)


def _is_release_of(month: str, name: str) -> bool:
    return layout.RELEASE_NAME.fullmatch(name) is not None and name.startswith(f"{month}.")


def _read_pointer(pointer: Path) -> str:
    """What a pointer says; empty if it is missing or a link, which is not followed."""
    try:
        with open(os.open(pointer, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:  # noqa: PTH123  a descriptor, no path
            return file.read(64).decode("ascii", "replace").strip()
    except OSError:
        return ""
