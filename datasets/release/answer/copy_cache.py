"""The folder of serving copies: each is made once, sealed, verified before it is attached, and made again if it has changed.

`NAME.seal` names the file of a copy and holds its seal. Processes that share the folder act in it under a lock, so
a copy is made once, whoever needs it first; those with another key have copies under names of their own. decisions/0025.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
import shutil
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock

import duckdb

from datasets.release.answer.cache_folder import CacheFolder
from datasets.release.answer.copy_source import CopySource, escape_path
from datasets.release.answer.sealed_file import FileChanged, OpenFile, open_sealed, read_seal, seal_of

log = logging.getLogger("daylight.release")

_UNFINISHED = ".making-"


@dataclass(frozen=True)
class AttachedCopy:
    """A serving copy that is attached to the connection: the schema under which DuckDB knows it, and its file."""

    schema: str
    file: OpenFile


class CopyCache:
    """The serving copies in one folder that are attached to one connection. Safe to use from several threads.

    Copies that were sealed with another `key` are neither read nor removed.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: CacheFolder, key: bytes) -> None:
        self._con, self._folder, self._key = con, folder, key
        self._owner = hmac.new(key, b"owner of serving copies", "sha256").hexdigest()[:8]
        self._attached: dict[str, AttachedCopy] = {}
        self._lock = Lock()

    def attach(self, source: CopySource, wait_seconds: float) -> AttachedCopy:
        """The attached copy of a release, whose file is unchanged. It is made first if it is missing or has changed.

        Raises ReleaseDamaged if the release lacks a cell that its codebook promises; OSError and duckdb.Error if the cause
        lies outside of the release: a full disk, a folder that others may write to, a lock that is not released.
        """
        found = self._attached.get(source.name)
        if found is not None and found.file.is_unchanged:
            return found
        return self._folder.patiently(partial(self._attach_locked, source), wait_seconds)

    def _attach_locked(self, source: CopySource) -> AttachedCopy:
        """Raises CacheFolderBusy at once: the thread that waits for another process does not hold the lock of this one."""
        with self._lock:
            found = self._attached.get(source.name)
            if found is not None and found.file.is_unchanged:
                return found
            if found is not None:
                _warn(found.file.path, "it was changed while it was in use")
                self._detach(source.name)
            with self._folder.locked():
                attached = self._open(source) or self._make(source)
            self._attached[source.name] = attached
            return attached

    def stop_waiting(self) -> None:
        """From now on no lock of another process is waited for, also by a thread that waits already."""
        self._folder.stop_waiting()

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
        path = seal_file = self._folder.path / f"{self._name(source)}.seal"
        try:
            name, seal = read_seal(seal_file)
            path = self._folder.path / name
            file = open_sealed(path, source.fingerprint, seal, self._key)
            try:
                return self._attach_file(source, file)
            except BaseException:
                file.close()
                raise
        except FileNotFoundError:
            return None
        except OSError as error:
            _warn(path, str(error))
            return None

    def _attach_file(self, source: CopySource, file: OpenFile) -> AttachedCopy:
        """Attach a verified file. Raises FileChanged if DuckDB cannot read it, or may have read something else."""
        # what DuckDB opens is the file that was hashed: nobody changes the folder under our lock, except by force
        before = self._folder.times
        log_file = file.path.with_name(f"{file.path.name}.wal")
        if os.path.lexists(log_file):
            raise FileChanged("beside it is a write-ahead log, which DuckDB would apply to it")
        schema = file.path.stem.replace(".", "_")
        try:
            with self._con.cursor() as cursor:
                # not ATTACH IF NOT EXISTS, which can spin for ever in DuckDB 2.0: decisions/0005
                cursor.execute(f"ATTACH '{escape_path(file.path)}' AS {schema} (READ_ONLY)")
                source.ensure_own_tables(cursor, schema)
                has_all_cells = source.has_all_cells(cursor, schema)
            if not (before == self._folder.times and file.is_at_its_path and file.is_unchanged):
                raise FileChanged("it or its folder was changed while it was opened")
            if not has_all_cells:
                raise FileChanged("it lacks cells")
        except (duckdb.Error, FileChanged) as error:
            with suppress(duckdb.Error):
                self._con.execute(f"DETACH {schema}")
            if isinstance(error, FileChanged):
                raise
            raise FileChanged(f"it cannot be read: {type(error).__name__}") from error
        return AttachedCopy(schema, file)

    def _name(self, source: CopySource) -> str:
        """Begins the names of a copy's files. Each key has its own, or two processes would remake each other's for ever."""
        return f"{source.name}_{self._owner}"

    def _make(self, source: CopySource) -> AttachedCopy:
        """Make the copy of a release and attach it. Raises ReleaseDamaged, OSError, duckdb.Error."""
        self._remove_old(source)
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._folder.path))
        try:
            self._seal(source, source.write_copy(unfinished))
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        attached = self._open(source)
        if attached is None:
            self._remove_old(source)
            raise FileChanged(
                f"the serving copy of release {source.folder.name} was changed when it had been made"
            )
        return attached

    def _seal(self, source: CopySource, fresh: Path) -> None:
        """Seal a new file, and give both their names. Raises FileChanged if it does not hold the cells of the release."""
        path = self._folder.path / f"{self._name(source)}.{secrets.token_hex(8)}.duckdb"
        with closing(OpenFile(fresh)) as made:
            source.ensure_equal(fresh)
            # each of its times too: it may have been moved away for the comparison and back
            if not made.is_at_its_path:
                raise FileChanged("it was changed while it was compared with the release")
        seal = fresh.with_name("seal")
        seal.touch(mode=0o600)
        seal.write_text(f"{path.name} {seal_of(path.name, source.fingerprint, made.sha256, self._key)}\n")
        fresh.replace(path)
        seal.replace(self._folder.path / f"{self._name(source)}.seal")

    def _remove_old(self, source: CopySource) -> None:
        """Remove the files of earlier copies of a release, and what was left by processes that died while they made one."""
        for path in self._folder.path.iterdir():
            if path.name.startswith(_UNFINISHED):
                shutil.rmtree(path, ignore_errors=True)
            elif path.name.startswith(f"{self._name(source)}."):
                with suppress(IsADirectoryError, PermissionError):
                    path.unlink()


def _warn(path: Path, reason: str) -> None:
    log.warning(
        "the serving copy %s is refused and made again from the release's Parquet file: %s", path, reason
    )
