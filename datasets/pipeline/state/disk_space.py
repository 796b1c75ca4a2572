"""Disk space: the check that a build has room before it spends anything, and the refusal if a disk fills up meanwhile."""

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

BYTES_PER_EVENT = 50
"""Size of a validated row in the private folder during a build."""

_OVERHEAD = 64 << 20
"""Bytes for everything except cells: manifest, codebook, ledger, and the rounding to blocks of the file system."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = ("No space left on device", "Disk quota exceeded", "max_temp_directory_size")


class NoRoom(Refusal):
    """A disk has too little room for a build; nothing was spent."""


class DiskFull(Refusal):
    """A disk became full while a build was writing."""


def bytes_needed(budget: Budget) -> int:
    """An upper bound of the size of a release and of what its test writes; counts and noisy cells need less.

    It depends only on the number of published cells, which the declaration and the calendar determine: the value and the
    standard error of a measure take 8 bytes each, a code at most 4. The test writes a serving copy and, while it makes it, a
    copy of the cells.
    """
    axes = next(iter(budget.measures.values())).axes
    sizes = (
        prod(axis.size(level) for axis, level in zip(axes, cuboid, strict=True)) for cuboid in budget.cuboids
    )
    width = 16 * len(budget.measures) + 4 * (1 + sum(axis.depth for axis in axes))
    return 3 * sum(sizes) * width + _OVERHEAD


def ensure_room(releases: Path, building: Path, budget: Budget, events: Iterable[Path]) -> None:
    """Raises NoRoom if the release does not fit on the disk of `releases`, or the rows and counts of these events do not fit
    on the disk of `building`, in the private folder. The message does not contain the size of the rows, which would reveal
    their number."""
    what = f"{budget.dataset.name} {budget.month}"
    needed, free = bytes_needed(budget), shutil.disk_usage(releases).free
    if free < needed:
        raise NoRoom(
            f"{what} needs {_as_mebibytes(needed)} on the disk of the releases, and {_as_mebibytes(free)} are free; "
            "make room and build again: nothing was spent"
        )
    free = shutil.disk_usage(building).free
    left = free - needed if building.stat().st_dev == releases.stat().st_dev else free
    there = sum(path.stat().st_size for path in building.rglob("*") if path.is_file())
    if left + there < needed + BYTES_PER_EVENT * _row_count(events):
        raise NoRoom(
            f"the build of {what} keeps {BYTES_PER_EVENT} bytes per event, and its counts, in the private folder, "
            f"and {_as_mebibytes(free)} are free there, which is too little; make room, or name another disk in "
            "DAYLIGHT_PRIVATE_DIR, and build again: nothing was spent"
        )


def is_disk_full(error: BaseException) -> bool:
    """Whether an error means that a disk is full, or that DuckDB has reached its limit for temporary files."""
    return getattr(error, "errno", None) in _FULL or any(words in str(error) for words in _FULL_WORDS)


@contextmanager
def disk_full_as_refusal(*folders: Path) -> Iterator[None]:
    """Raise DiskFull, naming the fullest of these folders, instead of an error that means that a disk is full."""
    try:
        yield
    except (OSError, duckdb.Error, pa.ArrowException) as error:
        if not is_disk_full(error):
            raise
        folder = min(
            (f for f in folders if f.is_dir()), key=lambda f: shutil.disk_usage(f).free, default=folders[0]
        )
        raise DiskFull(
            f"the disk that holds {folder} is full; make room there and give the same command again: it resumes on "
            "the same reservation, if there is one, and finishes a release that is published already"
        ) from error


def _row_count(events: Iterable[Path]) -> int:
    """The number of rows in the metadata of the files; unreadable files are skipped, since validation refuses them."""
    rows = 0
    for path in events:
        try:
            rows += int(pq.ParquetFile(path).metadata.num_rows)
        except (pa.ArrowException, OSError):
            continue
    return rows


def _as_mebibytes(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"
