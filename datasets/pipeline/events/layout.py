"""The folders of raw events: `DIR/<dataset>/<YYYY-MM>/part-00000.parquet …` with a `source.json`.

A month is written into a staging folder and renamed when it is complete, so that a crash leaves no partial month.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datasets.definition import Dataset
from datasets.period import Month
from datasets.refusal import Refusal

TOTALS_FILE = "totals.json"


class NoEvents(Refusal):
    """The folder has no raw events."""


class MonthExists(Refusal):
    """The month's folder already exists."""


class MonthIsBeingWritten(Refusal):
    """Another process is writing the same dataset."""


def month_folder(root: Path, dataset: Dataset, month: Month) -> Path:
    return root / dataset.name / str(month)


def quarantine_folder(root: Path, dataset: Dataset, month: Month) -> Path:
    return root / dataset.name / f"{month}.quarantine"


def event_files(folder: Path) -> tuple[Path, ...]:
    """The Parquet files of a month in order of name.

    Symbolic links are refused: the input of a release must be in the folder itself.
    Raises NoEvents.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise NoEvents(
            f"there are no events in {folder}; it must be a folder with part-00000.parquet and source.json"
        )
    files = sorted(
        path for path in folder.iterdir() if path.suffix == ".parquet" and not path.name.startswith(".")
    )
    if not files:
        raise NoEvents(f"{folder} has no .parquet file; `events import` or `events generate` writes them")
    for path in files:
        if path.is_symlink() or not path.is_file():
            raise NoEvents(
                f"{path} is not a regular file; put the Parquet file itself there, not a link or a folder"
            )
    return tuple(files)


@dataclass(frozen=True, slots=True)
class StagingFolders:
    """The folders in which a month is being written: its events, and the rows that do not fit."""

    events: Path
    quarantine: Path


@contextmanager
def staged_month(
    root: Path, dataset: Dataset, month: Month, *, replace: bool = False
) -> Iterator[StagingFolders]:
    """Folders that become the month and its quarantine if the block succeeds, and are removed if it raises.

    An empty quarantine folder is not kept. With `replace` the old month is removed once the new one is complete.
    Raises MonthExists and MonthIsBeingWritten before the block begins.
    """
    final = StagingFolders(month_folder(root, dataset, month), quarantine_folder(root, dataset, month))
    work, old = (final.events.parent / f".{month}.{word}" for word in ("staging", "replaced"))
    _ensure_free(final, replace)
    final.events.parent.mkdir(parents=True, exist_ok=True)
    with _write_lock(final.events.parent, dataset):
        _restore_replaced_month(final, old)
        _ensure_free(final, replace)
        shutil.rmtree(work, ignore_errors=True)  # left by a crash; the holder of the lock may remove it
        staging = StagingFolders(work / "events", work / "quarantine")
        try:
            staging.events.mkdir(parents=True)
            staging.quarantine.mkdir()
            yield staging
            _move_into_place(staging, final, old)
        finally:
            _restore_replaced_month(final, old)
            shutil.rmtree(work, ignore_errors=True)


def _ensure_free(final: StagingFolders, replace: bool) -> None:
    if final.events.exists() and not replace:
        raise MonthExists(f"{final.events} exists already; give --replace to write it anew, or another --out")


def _move_into_place(staging: StagingFolders, final: StagingFolders, old: Path) -> None:
    """Rename the complete folders into place, the month last, so that a month never appears without its quarantine."""
    for folder in (staging.events, staging.quarantine):
        for path in folder.iterdir():
            _fsync(path)
        _fsync(folder)
    old.mkdir()
    for folder in (final.quarantine, final.events):
        if folder.exists():
            folder.rename(old / folder.name)
    if any(staging.quarantine.iterdir()):
        staging.quarantine.rename(final.quarantine)
    staging.events.rename(final.events)
    _fsync(final.events.parent)


def _restore_replaced_month(final: StagingFolders, old: Path) -> None:
    """Restore a replaced month if the new one was not moved into place; otherwise delete the old one."""
    for folder in (final.quarantine, final.events):
        if (old / final.events.name).exists() and not final.events.exists() and (old / folder.name).exists():
            shutil.rmtree(folder, ignore_errors=True)
            (old / folder.name).rename(folder)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _write_lock(folder: Path, dataset: Dataset) -> Iterator[None]:
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MonthIsBeingWritten(
                f"another process is writing events of {dataset.name} into {folder}; wait until it has ended"
            ) from None
        yield


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
