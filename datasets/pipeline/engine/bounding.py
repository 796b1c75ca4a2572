"""Bounding: the weight of each row in each measure, computed from the rows of one privacy unit at a time.

A person's rows are ordered by a salted hash and the first m count (docs/privacy/bounding.md#event-measures). All rows of an
organisation count, each as a unit of its own. In unit measures every unit has a weight of 10,000 grains, spread over all its
rows. No rule looks at two units, so adding or removing a unit never changes another unit's rows.

The SQL is rendered from the declaration, which supplies the names. It reads the narrow rows of one partition, in which no
event is repeated; a partition contains either all rows of a unit or none (`datasets.pipeline.engine.kernel`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datasets.definition import Dataset, EventMeasure, Measure, SumMeasure, UnitMeasure
from datasets.period import Month
from datasets.pipeline.engine.packing import packing_for

GRAINS = 10_000
"""The integer weight of one privacy unit in a unit measure."""

_BATCH = 1 << 17


@dataclass(frozen=True)
class Contributions:
    """Bounded rows. `codes` has one array per dimension with the positions of the finest codes; `weights` has one array
    per measure; `wide` has one per event measure with the weights under the diagnostic cap. All have the same length."""

    codes: tuple[NDArray[np.intp], ...]
    weights: dict[str, NDArray[np.float64]]
    wide: dict[str, NDArray[np.float64]]


def bound_rows(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, month: Month, rows: str
) -> Iterator[Contributions]:
    """The contributions of a partition, in batches; the SQL query `rows` selects its narrow rows, each event once."""
    with con.sql(contributions_sql(dataset, month, rows)).to_arrow_reader(_BATCH) as batches:
        for batch in batches:
            yield _contributions_of_batch(batch, dataset, month)


def _contributions_of_batch(batch: pa.RecordBatch, dataset: Dataset, month: Month) -> Contributions:
    packed = packing_for(dataset, month)

    def weights(name: str) -> NDArray[np.float64]:
        return np.asarray(batch.column(name), dtype=np.float64)

    return Contributions(
        codes=packed.codes([np.asarray(batch.column(f"word_{n}")) for n in range(packed.words)]),
        weights={m.name: weights(f"weight_{m.name}") for m in dataset.measures},
        wide={m.name: weights(f"wide_{m.name}") for m in event_measures(dataset)},
    )


def event_measures(dataset: Dataset) -> tuple[EventMeasure, ...]:
    return tuple(measure for measure in dataset.measures if isinstance(measure, EventMeasure))


def diagnostic_name(measure: str) -> str:
    """The name of the tables in which the rows of a measure are counted under the diagnostic cap."""
    return f"wide {measure}"


def contributions_sql(dataset: Dataset, month: Month, rows: str) -> str:
    """One row per narrow row of `rows`: its words, and its weight in each measure.

    Rows are ranked only if their person has more rows than the smallest bound; otherwise all rows count.
    """
    ranks = {measure.where: _rank_sql(measure.where) for measure in event_measures(dataset)}
    bounds = [*(m.rows_per_unit for m in event_measures(dataset)), dataset.diagnostics.rows_per_unit]
    exceeds_bound = f"(is_person AND unit_rows > {min(bounds)})"
    columns = [
        *(f"word_{n}" for n in range(packing_for(dataset, month).words)),
        *(f"{_weight_sql(dataset, measure)} AS weight_{measure.name}" for measure in dataset.measures),
        *(
            f"{_counts_sql(measure, dataset.diagnostics.rows_per_unit)}::UTINYINT AS wide_{measure.name}"
            for measure in event_measures(dataset)
        ),
    ]
    ranked, unranked = (
        ", ".join(f"{sql} AS {_rank_name(where)}" for where, sql in rank_of.items())
        for rank_of in (ranks, dict.fromkeys(ranks, "0"))
    )
    return f"""
    WITH units AS (
        SELECT unit_upper, unit_lower, count(*) AS unit_rows, bool_or(is_person) AS is_person,
            min(lot_upper) AS first_upper, arg_min(lot_lower, lot_upper) AS first_lower
        FROM ({rows}) GROUP BY unit_upper, unit_lower
    ),
    joined AS (
        SELECT * EXCLUDE (is_person), units.is_person FROM ({rows}) AS events JOIN units USING (unit_upper, unit_lower)
    ),
    ranked AS (
        SELECT *, {ranked} FROM joined WHERE {exceeds_bound}
        UNION ALL SELECT *, {unranked} FROM joined WHERE NOT {exceeds_bound}
    )
    SELECT {", ".join(columns)} FROM ranked"""


def _rank_sql(where: str | None) -> str:
    partition = "unit_upper, unit_lower" if where is None else f"unit_upper, unit_lower, {where}"
    return f"row_number() OVER (PARTITION BY {partition} ORDER BY lot_upper, lot_lower)"


def _rank_name(where: str | None) -> str:
    return f"rank_{where or 'all'}"


def _counts_sql(measure: EventMeasure, rows_per_unit: int) -> str:
    counted = f"{measure.where} AND " if measure.where else ""
    return f"({counted}(NOT is_person OR {_rank_name(measure.where)} <= {rows_per_unit}))"


def _weight_sql(dataset: Dataset, measure: Measure) -> str:
    match measure:
        case EventMeasure():
            return f"{_counts_sql(measure, measure.rows_per_unit)}::UTINYINT"
        case UnitMeasure():
            is_first = (
                "lot_upper = first_upper AND lot_lower = first_lower"  # true for exactly one row of a unit
            )
            first = f"CASE WHEN {is_first} THEN {GRAINS} % unit_rows ELSE 0 END"
            return f"({GRAINS} // unit_rows + {first})::SMALLINT"
        case SumMeasure():
            counted = dataset.measure(measure.counted_by)
            assert isinstance(counted, EventMeasure)
            clamped = f"least(greatest({measure.value}, {measure.lower}), {measure.upper})"
            kept = _counts_sql(counted, counted.rows_per_unit)
            return f"(CASE WHEN {kept} THEN {clamped} - {measure.middle} ELSE 0 END)::BIGINT"
