"""The kernel: what every engine runs, on a part of the rows. No rule about a row is written anywhere else.

An engine calls `narrow` on batches of raw rows, in any split. It brings narrow rows with the same `unit_lower`, and so all
rows of a unit, into one partition, calls `count_partition` on each, and adds up what it returns. Neither the order of rows
nor the number of batches and partitions changes a count: `tests/datasets/pipeline/engine/test_kernel.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa

from datasets.pipeline.engine.arrow import readable_batch
from datasets.pipeline.engine.bounding import Contributions, bound_rows, diagnostic_name
from datasets.pipeline.engine.columns import event_columns
from datasets.pipeline.engine.counting import Counter
from datasets.pipeline.engine.job import CountJob, Counts
from datasets.pipeline.engine.narrowing import (
    RawRelation,
    checked_rows_sql,
    fitting_rows_sql,
    narrow_rows_sql,
    record_sql,
    salt_parameters,
)
from datasets.pipeline.engine.repeats import settled_rows
from datasets.privacy.axis import axes_of
from datasets.privacy.plan import cell_count


@dataclass(frozen=True, slots=True)
class NarrowedBatch:
    """Of a batch of raw rows: the narrow rows of those that fit, and the others with `row`, from 0, `reason` and `record`."""

    rows: pa.Table
    misfits: pa.Table


@dataclass(frozen=True)
class PartialCounts:
    """Exact tables of some partitions, and the numbers of rows that were counted and left out as repeats: private."""

    counts: Counts = field(repr=False)
    kept: int = 0
    repeats: int = 0
    partitions: int = 0

    def plus(self, other: PartialCounts) -> PartialCounts:
        """The counts of both."""
        return PartialCounts(
            {
                measure: {table: counts + other.counts[measure][table] for table, counts in tables.items()}
                for measure, tables in self.counts.items()
            },
            self.kept + other.kept,
            self.repeats + other.repeats,
            self.partitions + other.partitions,
        )


def no_counts(job: CountJob) -> PartialCounts:
    """The counts of no partition: zeros."""
    axes = axes_of(job.dataset, job.month)
    return PartialCounts(
        {
            measure: {table: np.zeros(cell_count(axes, table), dtype=np.int64) for table in tables}
            for measure, tables in job.tables.items()
        }
    )


def narrow(
    con: duckdb.DuckDBPyConnection, job: CountJob, salt: str, batches: Iterable[pa.RecordBatch]
) -> Iterator[NarrowedBatch]:
    """Narrow batches of raw rows, which must have the columns of the declaration in any types."""
    wanted = [column.name for column in event_columns(job.dataset)]
    for batch in batches:
        size = batch.num_rows
        columns = [
            *readable_batch(batch.select(wanted)).columns,
            pa.nulls(size, pa.string()),
            pa.array(np.arange(size)),
        ]
        con.register("raw_batch", pa.table(columns, [*wanted, "file", "row"]))
        try:
            yield _narrowed(con, job, salt, size)
        finally:
            con.unregister("raw_batch")


def _narrowed(con: duckdb.DuckDBPyConnection, job: CountJob, salt: str, number: int) -> NarrowedBatch:
    described = con.execute("DESCRIBE raw_batch").fetchall()
    raw = RawRelation("raw_batch", {str(name): str(kind) for name, kind, *_ in described})
    valid = fitting_rows_sql(job.dataset, job.month, raw)
    rows = con.sql(
        narrow_rows_sql(job.dataset, job.month, valid), params=salt_parameters(salt)
    ).to_arrow_table()
    checked = checked_rows_sql(job.dataset, job.month, [raw])
    which = "reason IS NOT NULL" if rows.num_rows < number else "false"  # looking for reasons is slow
    misfits = con.sql(
        f"SELECT row, reason, {record_sql(job.dataset)} AS record FROM ({checked}) WHERE {which}"
    )
    return NarrowedBatch(rows, misfits.to_arrow_table())


def count_partition(con: duckdb.DuckDBPyConnection, job: CountJob, rows: str) -> PartialCounts:
    """Settle repeats, bound and count the narrow rows of one partition, which the SQL query `rows` selects."""
    counter = Counter(axes_of(job.dataset, job.month), job.tables)
    with settled_rows(con, job.dataset, job.month, rows) as settled:
        for batch in bound_rows(con, job.dataset, job.month, settled.sql):
            counter.add_batch(batch.codes, _weights(batch))
        return PartialCounts(counter.exact(), settled.kept, settled.repeats, partitions=1)


def count_batches(
    con: duckdb.DuckDBPyConnection, job: CountJob, batches: Iterable[pa.RecordBatch]
) -> PartialCounts:
    """As `count_partition`, for narrow rows in Arrow batches."""
    found = list(batches)
    if not found:
        return no_counts(job)
    con.register("narrow_rows", pa.Table.from_batches(found))
    try:
        return count_partition(con, job, "SELECT * FROM narrow_rows")
    finally:
        con.unregister("narrow_rows")


def _weights(batch: Contributions) -> dict[str, np.ndarray]:
    return {**batch.weights, **{diagnostic_name(name): weights for name, weights in batch.wide.items()}}
