"""Bounding: what each row counts for in each measure, decided by looking at one privacy unit at a time.

A person's rows are put in the order of a salted hash and the first m count (PRIVACY.md, section 8); an
organisation's rows all count, each as a unit of its own. In unit measures every unit weighs 10,000 grains, spread
over all its rows. No rule looks at two units, so a unit that comes or goes moves nobody else's rows.

The SQL is text rendered from the declaration; names come from it, values are bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datasets.definition import CodeList, Dataset, EventMeasure, Measure, SumMeasure, UnitMeasure
from datasets.period import Month

GRAINS = 10_000
"""The integer weight of one privacy unit in a unit measure."""


@dataclass(frozen=True)
class Contributions:
    """Bounded rows: `codes` has one array per dimension, the positions of the finest codes; `weights` one array
    per measure, and `wide` one per event measure, the rows counted under the diagnostic cap. All of one length."""

    codes: tuple[NDArray[np.intp], ...]
    weights: dict[str, NDArray[np.float64]]
    wide: dict[str, NDArray[np.float64]]


def bounded(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, month: Month, salt: str, buckets: int = 1
) -> Iterator[Contributions]:
    """The contributions in `valid_events`, units of one bucket after those of another, in batches.

    More buckets need less memory: each holds about its share of the units. The outcome does not depend on them.
    """
    for bucket in range(buckets):
        sql = contributions_sql(dataset, month)
        relation = con.sql(sql, params={"salt": salt, "bucket": bucket, "buckets": buckets})
        with relation.to_arrow_reader(1 << 17) as batches:
            for batch in batches:
                yield _contributions(batch, dataset)


def _contributions(batch: pa.RecordBatch, dataset: Dataset) -> Contributions:
    def codes(name: str) -> NDArray[np.intp]:
        return np.asarray(batch.column(name), dtype=np.intp)

    def weights(name: str) -> NDArray[np.float64]:
        return np.asarray(batch.column(name), dtype=np.float64)

    return Contributions(
        codes=tuple(codes(f"code_{i}") for i in range(len(dataset.dimensions))),
        weights={m.name: weights(f"weight_{m.name}") for m in dataset.measures},
        wide={m.name: weights(f"wide_{m.name}") for m in event_measures(dataset)},
    )


def event_measures(dataset: Dataset) -> tuple[EventMeasure, ...]:
    return tuple(measure for measure in dataset.measures if isinstance(measure, EventMeasure))


def contributions_sql(dataset: Dataset, month: Month) -> str:
    """One row per valid event of a bucket of units: positions of its codes, and its weight in each measure."""
    ranks = {measure.where: _rank(measure.where) for measure in event_measures(dataset)}
    columns = [
        *(_code(d.finest.name, d.finest.codes.in_month(month), i) for i, d in enumerate(dataset.dimensions)),
        *(f"{_weight(dataset, measure)} AS weight_{measure.name}" for measure in dataset.measures),
        *(
            f"{_kept(measure, dataset.diagnostics.rows_per_unit)}::UTINYINT AS wide_{measure.name}"
            for measure in event_measures(dataset)
        ),
    ]
    return f"""
    WITH hashed AS (
        SELECT *, md5(concat($salt, ':', length(unit_id), ':', unit_id, ':', event_id)) AS lot
        FROM valid_events
        WHERE $buckets = 1 OR md5_number_upper(concat($salt, ':', unit_id)) % $buckets = $bucket
    ),
    units AS (
        SELECT unit_id, count(*) AS unit_rows, min(lot) AS first_lot, bool_or(unit_kind = 'person') AS is_person
        FROM hashed GROUP BY unit_id
    ),
    ranked AS (
        SELECT *, {", ".join(f"{sql} AS {_rank_name(where)}" for where, sql in ranks.items())}
        FROM hashed JOIN units USING (unit_id)
    )
    SELECT {", ".join(columns)} FROM ranked"""


def _rank(where: str | None) -> str:
    partition = "unit_id" if where is None else f"unit_id, {where}"
    return f"row_number() OVER (PARTITION BY {partition} ORDER BY lot, event_id)"


def _rank_name(where: str | None) -> str:
    return f"rank_{where or 'all'}"


def _kept(measure: EventMeasure, rows_per_unit: int) -> str:
    counted = f"{measure.where} AND " if measure.where else ""
    return f"({counted}(NOT is_person OR {_rank_name(measure.where)} <= {rows_per_unit}))"


def _weight(dataset: Dataset, measure: Measure) -> str:
    match measure:
        case EventMeasure():
            return f"{_kept(measure, measure.rows_per_unit)}::UTINYINT"
        case UnitMeasure():
            first = f"CASE WHEN lot = first_lot THEN {GRAINS} % unit_rows ELSE 0 END"
            return f"({GRAINS} // unit_rows + {first})::SMALLINT"
        case SumMeasure():
            counted = dataset.measure(measure.counted_by)
            assert isinstance(counted, EventMeasure)
            clamped = f"least(greatest({measure.value}, {measure.lower}), {measure.upper})"
            kept = _kept(counted, counted.rows_per_unit)
            return f"(CASE WHEN {kept} THEN {clamped} - {measure.middle} ELSE 0 END)::BIGINT"


def _code(column: str, codes: CodeList, position: int) -> str:
    if column == "day":
        return f"(day(occurred_at) - 1)::USMALLINT AS code_{position}"
    listed = ", ".join(f"'{code.code}'" for code in codes)
    return f"enum_code({column}::ENUM({listed}))::USMALLINT AS code_{position}"
