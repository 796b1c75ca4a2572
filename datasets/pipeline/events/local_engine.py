"""The local engine: counts a month of Parquet files on one host, partition by partition, on disk and in bounded memory.

The events are read once, and a second time only to write the records of the quarantine, if a row does not fit or an event is
repeated. If DuckDB cannot read a file, what is left is read again carefully: one bad value does not end a build. After each
part of the input and after each partition the progress is saved, so that a killed build resumes there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Protocol

import duckdb

from datasets.pipeline.engine.duckdb import connect
from datasets.pipeline.engine.job import Counted, CountJob, InputIdentity, RowTotals
from datasets.pipeline.engine.kernel import PartialCounts, count_partition, no_counts
from datasets.pipeline.events.layout import event_files
from datasets.pipeline.events.partitions import Partitions, partitions_for
from datasets.pipeline.events.quarantine import write_totals
from datasets.pipeline.events.validation import (
    REFUSED,
    MonthOfEvents,
    ignored_columns,
    open_month,
    quarantine_rows,
    unreadable_as_refusal,
    write_part,
)


class CountingProgress(Protocol):
    """Where the local engine keeps its files and saves what it has done."""

    @property
    def folder(self) -> Path:
        """A private folder for partitions and what does not fit into memory."""
        ...

    @property
    def partitions(self) -> Path:
        """The folder of the partitions."""
        ...

    @property
    def parts(self) -> int:
        """The number of parts of the input that are in the partitions."""
        ...

    def save_parts(self, number: int) -> None:
        """Save that the first `number` parts are in the partitions."""
        ...

    def save_counts(self, counts: PartialCounts) -> None:
        """Save the counts of the first partitions."""
        ...

    def restore_counts(self) -> PartialCounts | None:
        """The counts that were saved last."""
        ...


@dataclass
class UnsavedProgress:
    """The progress of counting, in a folder without other files, that is never resumed."""

    folder: Path
    parts: int = 0

    @property
    def partitions(self) -> Path:
        return self.folder / "buckets"

    def save_parts(self, number: int) -> None:
        pass

    def save_counts(self, counts: PartialCounts) -> None:
        pass

    def restore_counts(self) -> PartialCounts | None:
        return None


@dataclass(frozen=True)
class LocalEngine:
    """Counts the Parquet files of a folder. Rows that do not count go to the folder `quarantine`, with `totals.json`.

    `on_counting` is called when the events are validated and counting begins, `on_progress` with rows done and all rows:
    these are private and may be shown to the operator but never logged. `on_remark` gets sentences for the operator, which do
    not depend on rows.
    """

    quarantine: Path
    progress: CountingProgress
    on_counting: Callable[[], None] = lambda: None
    on_progress: Callable[[int, int], None] = lambda rows, of: None
    on_remark: Callable[[str], None] = field(default=lambda remark: None)

    def resuming(self, progress: CountingProgress) -> LocalEngine:
        """The same engine with this progress."""
        return replace(self, progress=progress)

    def identify(self, source: Path) -> InputIdentity:
        """The SHA-256 of each Parquet file of a folder, in the order of their names. Raises NoEvents."""
        digests = []
        for path in event_files(source):
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").digest())
        return InputIdentity(b"".join(digests))

    def counted(self, job: CountJob, salt: str, source: Path) -> Counted:
        """The exact counts of the Parquet files of a folder. Raises NoEvents, UnreadableEvents and MissingColumn."""
        events = open_month(job, source)
        if extra := ignored_columns(events):
            self.on_remark(f"ignored columns that the declaration does not have: {', '.join(extra)}")
        on_counting = cache(self.on_counting)  # once, also if the events are read again
        with suppress(*REFUSED):  # also if a disk is full, which it is again then
            return self._counted(job, salt, events, source, on_counting)
        careful = replace(events, careful=True)
        with unreadable_as_refusal(careful):
            return self._counted(job, salt, careful, source, on_counting)

    def _counted(
        self, job: CountJob, salt: str, events: MonthOfEvents, source: Path, on_counting: Callable[[], None]
    ) -> Counted:
        partitions = partitions_for(self.progress.partitions, events.read)
        self.progress.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(connect(self.progress.folder)) as con:
            self.write_partitions(con, events, partitions, salt)
            on_counting()
            found = self._count(con, job, partitions)
            totals = self._set_aside(con, events, partitions, salt, found)
        return Counted(found.counts, totals, self.identify(source))

    def write_partitions(
        self, con: duckdb.DuckDBPyConnection, events: MonthOfEvents, partitions: Partitions, salt: str
    ) -> None:
        """Write the rows that fit into partitions, except those of parts that are there already."""
        passed = 0
        for number, part in enumerate(events.parts):
            if number >= self.progress.parts:
                write_part(con, events, number, partitions, salt)
                self.progress.save_parts(number + 1)
            passed += part.rows
            self.on_progress(passed, events.read)

    def _count(self, con: duckdb.DuckDBPyConnection, job: CountJob, partitions: Partitions) -> PartialCounts:
        found = self.progress.restore_counts() or no_counts(job)
        rows = partitions.rows()
        for partition in range(found.partitions, partitions.number):
            of_partition = partitions.rows_sql(partition)
            found = found.plus(
                count_partition(con, job, of_partition)
                if of_partition
                else replace(no_counts(job), partitions=1)
            )
            self.progress.save_counts(found)
            self.on_progress(rows * (partition + 1) // partitions.number, rows)
        return found

    def _set_aside(
        self, con: duckdb.DuckDBPyConnection, events: MonthOfEvents, partitions: Partitions, salt: str,
        found: PartialCounts,
    ) -> RowTotals:  # fmt: skip
        """Write the quarantine; returns the totals."""
        lost = events.read - found.kept
        reasons = quarantine_rows(con, events, partitions, salt, self.quarantine) if lost else {}
        totals = RowTotals(events.read, found.kept, lost, reasons)
        self.quarantine.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_totals(totals, self.quarantine)
        return totals
