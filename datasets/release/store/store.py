"""The releases that are open: what each month's pointer says, and the last good release behind it.

Whatever is slow (hashing, verifying, making a serving copy) happens while nobody else has to wait: what is open goes on
being served, and the new release takes its place when it is ready.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, RLock, Thread

import duckdb

from datasets.refusal import Refusal
from datasets.release.answer.release import Release, open_release
from datasets.release.answer.serving_copy import detach_all
from datasets.release.format import layout
from datasets.release.format.errata import ReleaseWithdrawn
from datasets.release.format.verification import ReleaseDamaged, Verify
from datasets.release.store.history import ReleaseHistory
from datasets.release.store.ledger_check import LedgerCheck

log = logging.getLogger("daylight.release")


@dataclass
class _Month:
    """What a month's pointer last said, the last release behind it that was good, and what the files looked like."""

    pointer: str
    traces: layout.FileState = ()
    release: Release | None = None
    trouble: str = ""
    withdrawn: frozenset[str] = frozenset()


@dataclass
class ReleaseStore:
    """The releases under a directory. It may be used from several threads at once.

    Anything wrong with a release leaves the last good one of its month in place and a sentence in `degraded`.
    `refreshed` seconds may pass before a new release is noticed.
    """

    directory: Path
    cache: Path
    verify: Verify
    datasets: tuple[str, ...]
    refresh_seconds: float = 1.0
    _months: dict[tuple[str, str], _Month] = field(default_factory=dict)
    _named: dict[tuple[str, str], Release] = field(default_factory=dict)
    _looked: float = -1e9

    def __post_init__(self) -> None:
        self._lock = RLock()  # what is open; held for moments
        self._slow = Lock()  # who looks and opens; held for as long as that takes
        self._watch: Thread | None = None
        self._over = Event()
        self.history = ReleaseHistory(self.directory, self.verify)
        self._anchor = LedgerCheck(self.directory, self.verify)
        self._con = duckdb.connect(config={"threads": 1, "enable_external_access": True})
        self.refresh()

    def close(self) -> None:
        """Stop looking, and let go of everything."""
        self._over.set()
        if self._watch is not None:
            self._watch.join()
        with self._slow, self._lock:
            detach_all(self._con)

    def watch(self) -> None:
        """From now on look in a thread of its own, so that nobody who asks waits while a new release is opened."""
        self._watch = Thread(target=self._keep_looking, name="releases", daemon=True)
        self._watch.start()

    def _keep_looking(self) -> None:
        while not self._over.wait(self.refresh_seconds):
            try:
                self.refresh()
            except Exception:
                log.exception("the releases could not be looked at; what is open is served on")

    @property
    def degraded(self) -> tuple[str, ...]:
        """One sentence for each month that cannot be served as its pointer says, and one for a ledger that was set back."""
        with self._lock:
            troubles = [month.trouble for month in self._months.values()]
        return tuple(trouble for trouble in (*troubles, self._anchor.problem) if trouble)

    def refresh(self) -> None:
        """Look at the pointers, and verify and open what they newly point to."""
        with self._slow:
            self._looked = time.monotonic()
            if self._anchor.reload():
                self._doubt()
            for dataset in self.datasets:
                known = {month for name, month in self._months if name == dataset}
                for month in sorted(known.union(layout.released_months(self.directory, dataset))):
                    self._look(dataset, month)

    def _doubt(self) -> None:
        """The ledger has changed: what could not be served may be whole now."""
        for month in self._months.values():
            if month.trouble:
                month.traces = ()

    def _look(self, dataset: str, month: str) -> None:
        pointer = _read(layout.pointer_file(self.directory, dataset, month))
        known = self._months.get((dataset, month))
        named = layout.RELEASE_NAME.fullmatch(pointer) is not None and pointer.startswith(f"{month}.")
        traces = layout.folder_state(layout.release_folder(self.directory, dataset, pointer)) if named else ()
        withdrawn = layout.withdrawn_releases(self.directory, dataset, month)
        if known is not None and (known.pointer, known.withdrawn, known.traces) == (
            pointer,
            withdrawn,
            traces,
        ):
            return
        last = known.release if known and known.release and known.release.name not in withdrawn else None
        seen = _Month(pointer, traces, last, withdrawn=withdrawn)
        try:
            if not pointer and last is None and withdrawn:  # nothing is left of this month, as was meant
                self._saw(dataset, month, seen)
                return
            if not named:
                raise ReleaseDamaged("its pointer is missing, a link, or names no release of that month")
            seen.release = self._open(dataset, pointer)
        except ReleaseWithdrawn:
            seen.release = None
        except (Refusal, OSError, ValueError, duckdb.Error) as error:
            reason = error.sentence if isinstance(error, Refusal) else type(error).__name__
            seen.trouble = f"{dataset} {month}: {reason}"
            log.warning("serving what was good before: %s", seen.trouble)
        self._saw(dataset, month, seen)

    def _saw(self, dataset: str, month: str, seen: _Month) -> None:
        with self._lock:
            self._months[(dataset, month)] = seen
            self._changed()

    def _changed(self) -> None:
        """Something was released or withdrawn: what was concluded before is to be concluded anew."""

    def _open(self, dataset: str, name: str) -> Release:
        """The release of this name, verified, again where its files were touched. Raises ReleaseWithdrawn, ReleaseDamaged."""
        self._ensure_not_withdrawn(dataset, name)
        known = self._named.get((dataset, name))
        if known is not None and known.is_unchanged:
            return known
        folder = layout.release_folder(self.directory, dataset, name)
        release = open_release(self._con, folder, self.verify, self.cache)
        self._anchor.ensure_contains(release.manifest)
        with self._lock:
            self._named[(dataset, name)] = release
        return release

    def open(self, dataset: str, name: str) -> Release:
        """The release of this name; verified and opened first where it is new to this process, which takes a while.

        Raises ReleaseWithdrawn, ReleaseDamaged.
        """
        self._ensure_not_withdrawn(dataset, name)
        with self._lock:
            known = self._named.get((dataset, name))
        if known is not None:
            return known
        with self._slow:
            return self._open(dataset, name)

    def is_open(self, dataset: str, name: str) -> bool:
        """Whether a release can be asked without being opened first, or is none that could be opened."""
        with self._lock:
            return (dataset, name) in self._named or name not in self.history.names(dataset)

    def current(self, dataset: str) -> tuple[Release, ...]:
        """The current release of each month, the earliest first."""
        if self._watch is None and time.monotonic() - self._looked > self.refresh_seconds:
            self.refresh()
        with self._lock:
            found = sorted(
                (month, seen.release)
                for (name, month), seen in self._months.items()
                if name == dataset and seen.release
            )
        return tuple(release for _, release in found if release is not None)

    def _is_troubled(self, dataset: str) -> bool:
        with self._lock:
            return any(name == dataset and month.trouble for (name, _), month in self._months.items())

    def _ensure_not_withdrawn(self, dataset: str, name: str) -> None:
        erratum = self.history.erratum(dataset, name)
        if erratum is not None:
            raise ReleaseWithdrawn(
                erratum, _read(layout.pointer_file(self.directory, dataset, erratum.month))
            )

    def ensure_none_withdrawn(self, dataset: str, months: tuple[str, ...]) -> None:
        """Say of a month that is not released that it was withdrawn, where it was. Raises ReleaseWithdrawn."""
        for name in reversed(self.history.names(dataset)):
            if name.split(".")[0] in months:
                self._ensure_not_withdrawn(dataset, name)


def _read(pointer: Path) -> str:
    """What a pointer says; empty where it is missing or a link, which is not followed."""
    try:
        with open(os.open(pointer, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:  # noqa: PTH123  a descriptor, no path
            return file.read(64).decode("ascii", "replace").strip()
    except OSError:
        return ""
