"""The paths of releases: `releases/<dataset>/<YYYY-MM>.<revision>/`, and a pointer `<YYYY-MM>.current` for each month."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from datasets.period import Month

MANIFEST = "manifest.json"
SIGNATURE = "manifest.jws"
CELLS = "cells.parquet"
CODEBOOK = "codebook.json"

FileState = tuple[tuple[str, int, int, int], ...]
"""Name, mode, size and time of change (ctime, which cannot be set back) of some files: differs if one was changed, and costs
no reading."""
RELEASE_NAME = re.compile(r"(\d{4}-\d{2})\.([1-9]\d{0,3})", re.ASCII)
_ROLLBACK = re.compile(r"(\d{4}-\d{2})\.rollback-([1-9]\d{0,3})", re.ASCII)
_POINTER = re.compile(r"(\d{4}-\d{2})\.current", re.ASCII)


def release_name(month: Month | str, revision: int) -> str:
    """
    >>> release_name("2026-06", 2)
    '2026-06.2'
    """
    return f"{month}.{revision}"


def release_folder(root: Path, dataset: str, release: str) -> Path:
    return root / dataset / release


def pointer_file(root: Path, dataset: str, month: Month | str) -> Path:
    return root / dataset / f"{month}.current"


@lru_cache(maxsize=4096)
def erratum_file(root: Path, dataset: str, release: str) -> Path:
    """The document next to a release that says why it was withdrawn, if it was."""
    return root / dataset / f"{release}.erratum"


def rollback_file(root: Path, dataset: str, month: Month | str, number: int) -> Path:
    """The document that says that a month went back to an earlier release; `number` is 1 for the first time."""
    return root / dataset / f"{month}.rollback-{number}"


def rollback_files(root: Path, dataset: str, month: Month | str = "") -> tuple[Path, ...]:
    """The files of all rollbacks of a dataset, or of one month of it, by month and number."""
    folder = root / dataset
    found = [
        (match[1], int(match[2]), path)
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (match := _ROLLBACK.fullmatch(path.name)) and path.name.startswith(f"{month}")
    ]
    return tuple(path for _, _, path in sorted(found))


def withdrawn_releases(root: Path, dataset: str, month: Month | str) -> frozenset[str]:
    """The releases of a month that have an erratum."""
    return frozenset(path.stem for path in (root / dataset).glob(f"{month}.*.erratum"))


def ledger_file(root: Path) -> Path:
    """The privacy ledger as of the last publication."""
    return root / "ledger"


def released_months(root: Path, dataset: str) -> tuple[str, ...]:
    """The months that have a pointer, the earliest first."""
    folder = root / dataset
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return tuple(sorted(match[1] for match in map(_POINTER.fullmatch, names) if match))


def release_names(root: Path, dataset: str) -> tuple[str, ...]:
    """Every release that has a folder, by month and revision."""
    folder = root / dataset
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    found = [match for match in map(RELEASE_NAME.fullmatch, names) if match]
    return tuple(match[0] for match in sorted(found, key=lambda m: (m[1], int(m[2]))))


def folder_state(folder: Path) -> FileState:
    """The state of a folder itself and of each file in it."""
    found = file_state(folder)
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            found += file_state(path)
    return found


def file_state(path: Path) -> FileState:
    """The state of one file; empty if it does not exist. A link is not followed."""
    try:
        stat = path.lstat()
    except OSError:
        return ()
    return ((path.name, stat.st_mode, stat.st_size, stat.st_ctime_ns),)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's contents, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
