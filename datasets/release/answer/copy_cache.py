"""The folder of serving copies: each is made once, sealed, verified before it is attached, and made again if it has changed.

`NAME.seal` names the file of a copy and holds its seal. Processes that share the folder also share the key; what they do in
the folder they do under a lock, so a copy is made once, whoever needs it first. decisions/0025.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import duckdb

from datasets.release.answer.copy_source import CopySource, escape_path
from datasets.release.answer.sealed_file import FileChanged, OpenFile, open_sealed, read_seal, seal_of
from datasets.release.format.verification import ReleaseDamaged

log = logging.getLogger("daylight.release")

_UNFINISHED = ".making-"


@dataclass(frozen=True)
class AttachedCopy:
    """A serving copy that is attached to the connection: the schema under which DuckDB knows it, and its file."""

    schema: str
    file: OpenFile


class CopyCache:
    """The serving copies in one folder that are attached to one connection. Safe to use from several threads.

    Copies that were sealed with another `key` are not believed.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path, key: bytes) -> None:
        self._con, self._folder, self._key = con, folder, key
        self._attached: dict[str, AttachedCopy] = {}
        self._lock = Lock()

    def attach(self, source: CopySource) -> AttachedCopy:
        """The attached copy of a release, whose file is unchanged. It is made first if it is missing or has changed.

        Raises ReleaseDamaged if the release lacks a cell that its codebook promises; OSError and duckdb.Error, for
        example if the disk is full.
        """
        found = self._attached.get(source.name)
        if found is not None and found.file.is_unchanged:
            return found
        with self._lock:
            found = self._attached.get(source.name)
            if found is not None and found.file.is_unchanged:
                return found
            if found is not None:
                _warn(found.file.path, "it was changed while it was in use")
                self._detach(source.name)
            with _lock_folder(self._folder):
                attached = self._open(source) or self._make(source)
            self._attached[source.name] = attached
            return attached

    def close(self) -> None:
        """Detach every copy. A query that still runs keeps its copy until it ends."""
        with self._lock:
            for name in list(self._attached):
                self._detach(name)

    def _detach(self, name: str) -> None:
        attached = self._attached.pop(name)
        with suppress(duckdb.Error):
            self._con.execute(f"DETACH {attached.schema}")
        attached.file.close()

    def _open(self, source: CopySource) -> AttachedCopy | None:
        """The copy in the folder, attached; None if there is none, or if it is refused."""
        seal_file = self._folder / f"{source.name}.seal"
        path = seal_file
        try:
            name, seal = read_seal(seal_file)
            path = self._folder / name
            file = open_sealed(path, source.fingerprint, seal, self._key)
            try:
                return self._attach_file(source, file)
            except BaseException:
                file.close()
                raise
        except FileNotFoundError:
            return None
        except (FileChanged, OSError) as error:
            _warn(path, str(error))
            return None

    def _attach_file(self, source: CopySource, file: OpenFile) -> AttachedCopy:
        """Attach a verified file. Raises FileChanged if DuckDB cannot read it, or may have read something else."""
        # what DuckDB opens is the file that was hashed: nobody changes the folder under our lock, except by force
        before = self._folder_times()
        log_file = file.path.with_name(f"{file.path.name}.wal")
        if os.path.lexists(log_file):
            raise FileChanged("beside it is a write-ahead log, which DuckDB would apply to it")
        schema = file.path.stem.replace(".", "_")
        try:
            with self._con.cursor() as cursor:
                # not ATTACH IF NOT EXISTS, which can spin for ever in DuckDB 2.0: decisions/0005
                cursor.execute(f"ATTACH '{escape_path(file.path)}' AS {schema} (READ_ONLY)")
                counts = set(cursor.execute(source.counts_query(schema)).fetchall())
            if not (before == self._folder_times() and file.is_at_its_path and file.is_unchanged):
                raise FileChanged("it or its folder was changed while it was opened")
            if counts != source.counts:
                raise FileChanged("it lacks cells")
        except (duckdb.Error, FileChanged) as error:
            with suppress(duckdb.Error):
                self._con.execute(f"DETACH {schema}")
            if isinstance(error, FileChanged):
                raise
            raise FileChanged(f"it cannot be read: {type(error).__name__}") from error
        return AttachedCopy(schema, file)

    def _folder_times(self) -> tuple[int, int, int]:
        found = self._folder.stat()
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns

    def _make(self, source: CopySource) -> AttachedCopy:
        """Make the copy of a release and attach it. Raises ReleaseDamaged, OSError, duckdb.Error."""
        self._remove_old(source)
        # only this process' user may enter the folder in which the copy is made, until its seal is computed
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._folder))
        path = self._folder / f"{source.name}.{secrets.token_hex(8)}.duckdb"
        try:
            fresh = unfinished / "cells.duckdb"
            source.write_copy(fresh)
            made = OpenFile(fresh)
            made.close()
            seal = unfinished / "seal"
            seal.write_text(f"{path.name} {seal_of(path.name, source.fingerprint, made.sha256, self._key)}\n")
            fresh.replace(path)
            seal.replace(self._folder / f"{source.name}.seal")
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        attached = self._open(source)
        if attached is None:
            self._remove_old(source)
            raise ReleaseDamaged(f"release {source.folder.name}: its cells are not those of its codebook")
        return attached

    def _remove_old(self, source: CopySource) -> None:
        """Remove the files of earlier copies of a release, and what was left by processes that died while they made one."""
        for path in self._folder.iterdir():
            if path.name.startswith(_UNFINISHED):
                shutil.rmtree(path, ignore_errors=True)
            elif path.name.startswith(f"{source.name}."):
                with suppress(IsADirectoryError, PermissionError):
                    path.unlink()


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which the kernel releases when the process ends. The folder is made first."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _warn(path: Path, reason: str) -> None:
    log.warning(
        "the serving copy %s is refused and made again from the release's Parquet file: %s", path, reason
    )
