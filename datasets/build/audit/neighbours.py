"""Pairs of neighbouring inputs: the same events with and without all rows of one person, the canary.

An organisation is no canary: its statements are protected one by one, which a person with one row shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from datasets.build.events.columns import Column, Kind, arrow_schema, columns_of
from datasets.build.events.layout import month_folder
from datasets.build.events.source import Source
from datasets.definition import Dataset, SumMeasure
from datasets.period import Month


@dataclass(frozen=True, slots=True)
class Neighbours:
    """One pair: `crowd` people with one row each share the canary's cell, or stand elsewhere where `alone`."""

    name: str
    rows: int
    crowd: int
    alone: bool

    def write(self, root: Path, dataset: Dataset, month: Month, *, canary: bool) -> Path:
        """Write the raw events, with or without the canary, as one Parquet file under `root`; gives `root`."""
        people = [(f"crowd {n}", -1 if self.alone else 0) for n in range(self.crowd)]
        people += [("canary", 0)] * (self.rows if canary else 0)
        columns = columns_of(dataset)
        table = pa.table(
            {
                c.name: pa.array(
                    [_value(dataset, month, c, n, *p) for n, p in enumerate(people)], c.kind.value
                )
                for c in columns
            },
            schema=arrow_schema(columns),
        )
        folder = month_folder(root, dataset, month)
        folder.mkdir(parents=True)
        pq.write_table(table, folder / "part-00000.parquet")
        Source(format="table", schema="audit", unit="A made-up person.").write(folder)
        return root


def neighbours_of(dataset: Dataset) -> tuple[Neighbours, ...]:
    """A canary alone in its cell, one with all its rows in one cell among a few others, and one far over every cap."""
    return (
        Neighbours("alone in its cell", rows=1, crowd=6, alone=True),
        Neighbours("one row among four", rows=1, crowd=4, alone=False),
        Neighbours("far over the cap", rows=2 * dataset.diagnostics.rows_per_unit, crowd=4, alone=False),
    )


def _value(dataset: Dataset, month: Month, column: Column, number: int, person: str, place: int) -> object:
    first = datetime(month.year, month.month, 1)  # noqa: DTZ001  events carry UTC without saying so
    match column.kind:
        case Kind.ID:
            return person if column.name == "unit_id" else f"e{number}"
        case Kind.UNIT_KIND:
            return "person"
        case Kind.MOMENT:
            return first if place == 0 else first + timedelta(days=27)
        case Kind.CODE:
            return column.codes[place]
        case Kind.FLAG:
            return True
        case Kind.INTEGER:
            tops = [m.upper for m in dataset.measures if isinstance(m, SumMeasure) and m.value == column.name]
            return max(tops, default=1)
