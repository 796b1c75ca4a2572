"""The columns that raw events of a dataset must have, derived from its declaration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pyarrow as pa

from datasets.definition import CodeList, Dataset

UNIT_KINDS = ("person", "organisation")

MAX_ID_LENGTH = 500
"""Characters. Statements of reasons (Art. 17) allow identifiers of 500."""

MAX_VALUE = 10**15
"""Integer values beyond this, either way, are not measurements; sums over 10^8 rows of it would not fit 64 bits."""


class Kind(Enum):
    """What a column holds, and the Arrow type in which it is written."""

    ID = pa.string()
    UNIT_KIND = pa.dictionary(pa.int8(), pa.string())
    MOMENT = pa.timestamp("us")
    CODE = pa.dictionary(pa.int16(), pa.string())
    FLAG = pa.bool_()
    INTEGER = pa.int64()


@dataclass(frozen=True, slots=True)
class EventColumn:
    """One column of raw events. `codes` is the closed list of a dimension, `absent` the value of a source
    that does not know the column: the code for the unknown, or the declared absent value."""

    name: str
    kind: Kind
    codes: tuple[str, ...] = ()
    absent: str | int | None = None

    @property
    def expected(self) -> str:
        """What belongs into the column, for people."""
        return {
            Kind.ID: "a text identifier",
            Kind.UNIT_KIND: "'person' or 'organisation'",
            Kind.MOMENT: "a time in UTC",
            Kind.CODE: f"one of {len(self.codes)} codes",
            Kind.FLAG: "true or false",
            Kind.INTEGER: "a whole number",
        }[self.kind]


def event_columns(dataset: Dataset) -> tuple[EventColumn, ...]:
    """The columns a dataset's raw events have, in order; the day is read from `occurred_at`."""
    return (
        EventColumn("event_id", Kind.ID),
        EventColumn("unit_id", Kind.ID),
        EventColumn("unit_kind", Kind.UNIT_KIND, UNIT_KINDS),
        EventColumn("occurred_at", Kind.MOMENT),
        *(
            _dimension(d.finest.name, d.finest.codes)
            for d in dataset.dimensions
            if isinstance(d.finest.codes, CodeList)
        ),
        *(
            EventColumn(value.name, Kind.FLAG if value.kind == "flag" else Kind.INTEGER, absent=value.absent)
            for value in dataset.values
        ),
    )


def _dimension(name: str, codes: CodeList) -> EventColumn:
    return EventColumn(name, Kind.CODE, tuple(codes.index), codes.unknown)


def arrow_schema(columns: tuple[EventColumn, ...]) -> pa.Schema:
    return pa.schema([(column.name, column.kind.value) for column in columns])
