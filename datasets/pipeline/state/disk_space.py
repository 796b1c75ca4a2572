"""Disks: whether a build has room before it spends anything, and what is said when one is full all the same."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.pipeline.planning.budget import Budget
from datasets.refusal import Refusal

BYTES_PER_EVENT = 40
"""What a narrow row takes in the private folder while a build runs."""

_OVERHEAD = 64 << 20
"""Bytes for everything but cells: manifest, codebook, ledger, and the blocks in which a file system counts."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = ("No space left on device", "Disk quota exceeded", "max_temp_directory_size")


class NoRoom(Refusal):
    """A disk has too little room for what a build would write; nothing was spent."""


class DiskFull(Refusal):
    """A disk was filled while a build was writing."""


def bytes_needed(budget: Budget) -> int:
    """The most bytes that a release and the serving copy it is tried with take; counts and noisy cells take no more.

    It follows from the number of published cells alone, which the declaration and the calendar fix: each measure's
    value and standard error take 8 bytes, a code at most 4.
    """
    axes = next(iter(budget.measures.values())).axes
    sizes = (
        prod(axis.size(level) for axis, level in zip(axes, cuboid, strict=True)) for cuboid in budget.cuboids
    )
    width = 16 * len(budget.measures) + 4 * (1 + sum(axis.depth for axis in axes))
    return 2 * sum(sizes) * width + _OVERHEAD


def ensure_room(releases: Path, building: Path, budget: Budget, events: Iterable[Path]) -> None:
    """Raises NoRoom where a release would not fit among the releases, or narrow rows and counts of these events not into
    `building`, in the private folder. What the events need is not said: it tells how many there are."""
    what = f"{budget.dataset.name} {budget.month}"
    needed, free = bytes_needed(budget), shutil.disk_usage(releases).free
    if free < needed:
        raise NoRoom(
            f"{what} needs {_as_mebibytes(needed)} among the releases and {_as_mebibytes(free)} are free; "
            "make room and build again: nothing was spent"
        )
    free = shutil.disk_usage(building).free
    left = free - needed if building.stat().st_dev == releases.stat().st_dev else free
    there = sum(path.stat().st_size for path in building.rglob("*") if path.is_file())
    if left + there < needed + BYTES_PER_EVENT * _row_count(events):
        raise NoRoom(
            f"{what} keeps {BYTES_PER_EVENT} bytes of each event, and its counts, in the private folder while it is built, "
            f"and {_as_mebibytes(free)} are free there, which is too little; make room, or name another disk in "
            "DAYLIGHT_PRIVATE_DIR, and build again: nothing was spent"
        )


def is_disk_full(error: BaseException) -> bool:
    """Whether an error says that a disk is full, or that DuckDB may spill no more onto one."""
    return getattr(error, "errno", None) in _FULL or any(words in str(error) for words in _FULL_WORDS)


@contextmanager
def disk_full_as_refusal(*folders: Path) -> Iterator[None]:
    """Turn what is raised when a disk is full into one sentence that names the fuller of these folders. Raises DiskFull."""
    try:
        yield
    except (OSError, duckdb.Error, pa.ArrowException) as error:
        if not is_disk_full(error):
            raise
        folder = min(
            (f for f in folders if f.is_dir()), key=lambda f: shutil.disk_usage(f).free, default=folders[0]
        )
        raise DiskFull(
            f"the disk is full that holds {folder}; make room there and give the same command again: a spend that was "
            "reserved stays counted, and a release that is out already is finished"
        ) from error


def _row_count(events: Iterable[Path]) -> int:
    """How many rows the files say they hold; validation refuses those that say nothing."""
    rows = 0
    for path in events:
        try:
            rows += int(pq.ParquetFile(path).metadata.num_rows)
        except (pa.ArrowException, OSError):
            continue
    return rows


def _as_mebibytes(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"
