"""SQL that makes narrow rows of raw rows, and says of the others why they do not fit: pure functions.

A narrow row has no text: md5 hashes of the salted unit and of the salted event replace their identifiers (128 bits each; the
probability that any two of 10^8 units collide is below 2^-70, and no one can search for a collision without the salt). Codes
are packed into words; values are unchanged; `at` is the time of the event in microseconds, which decides between repeats. A
lot is the salted hash that orders the rows of a unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.columns import EventColumn, event_columns
from datasets.pipeline.engine.fitting import broken_text_sql, conversion_sql, fits_sql, reason_sql, text_sql
from datasets.pipeline.engine.packing import packed_words_sql
from datasets.pipeline.engine.sql import quote_name

DUPLICATE = "duplicate id: event_id"
_LOW = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class RawRelation:
    """Raw rows: SQL of a relation, and the SQL type in which it stores each column."""

    sql: str
    types: Mapping[str, str]


def salt_parameters(salt: str) -> dict[str, str]:
    """The parameters that the SQL of `narrow_rows_sql` and `lot_sql` binds."""
    return {"salt": salt, "unit_salt": salt[:32]}


def lot_sql() -> str:
    """SQL for the lot of a row: the salted md5 that orders the rows of a unit, as 32 hexadecimal digits."""
    return "md5(concat($salt, ':', length(unit_id), ':', unit_id, ':', event_id))"


def fitting_rows_sql(dataset: Dataset, month: Month, raw: RawRelation) -> str:
    """SQL for the raw rows that fit, with converted columns, including repeated ones."""
    columns = event_columns(dataset)
    names = ", ".join(quote_name(column.name) for column in columns)
    converted = ", ".join(_converted(columns, raw.types))
    return f"SELECT {names} FROM (SELECT {converted} FROM {raw.sql}) WHERE {fits_sql(columns, month)}"


def checked_rows_sql(dataset: Dataset, month: Month, raws: Sequence[RawRelation]) -> str:
    """SQL with one row per raw row: converted columns, raw columns as `raw:<name>`, file, row number, and reason.

    The relations must have the columns `file` and `row`.
    """
    columns = event_columns(dataset)
    every = " UNION ALL ".join(_checkable_sql(columns, raw) for raw in raws)
    return f'SELECT *, coalesce("@broken", {reason_sql(columns, month)}) AS reason FROM ({every})'


def record_sql(dataset: Dataset) -> str:
    """SQL for a row of `checked_rows_sql` as it was, as JSON text."""
    names = (column.name for column in event_columns(dataset))
    fields = ", ".join(f"{quote_name(name)} := {quote_name('raw:' + name)}" for name in names)
    return f"to_json(struct_pack({fields}))::VARCHAR"


def narrow_rows_sql(dataset: Dataset, month: Month, valid: str, also: Sequence[str] = ()) -> str:
    """SQL for the narrow rows of the query `valid`, which has converted columns, and those of its columns that `also` names.

    Binds `salt_parameters`.
    """
    words = packed_words_sql(dataset, month)
    kept = [*(quote_name(value.name) for value in dataset.values), *also]
    inner = [
        "md5_number(concat($unit_salt, ':', unit_id)) AS unit", f"{lot_sql()} AS lot", 'epoch_us(occurred_at) AS "at"',
        "unit_kind = 'person' AS is_person", *(f"{sql} AS word_{n}" for n, sql in enumerate(words)), *kept,
    ]  # fmt: skip
    outer = [
        "(unit >> 64)::UBIGINT AS unit_upper", f"(unit & {_LOW})::UBIGINT AS unit_lower",
        "('0x' || left(lot, 16))::UBIGINT AS lot_upper", "('0x' || right(lot, 16))::UBIGINT AS lot_lower",
        '"at"', "is_person", *(f"word_{n}" for n in range(len(words))), *kept,
    ]  # fmt: skip
    return f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM ({valid}))"


def _checkable_sql(columns: tuple[EventColumn, ...], raw: RawRelation) -> str:
    broken = f'{broken_text_sql(columns, raw.types)} AS "@broken"'
    selected = [*_converted(columns, raw.types), *_as_text(columns, raw.types), broken, "file", "row"]
    return f"SELECT {', '.join(selected)} FROM {raw.sql}"


def _converted(columns: tuple[EventColumn, ...], types: Mapping[str, str]) -> list[str]:
    return [f"{conversion_sql(c, types[c.name])} AS {quote_name(c.name)}" for c in columns]


def _as_text(columns: tuple[EventColumn, ...], types: Mapping[str, str]) -> list[str]:
    return [f"{text_sql(c, types[c.name])} AS {quote_name('raw:' + c.name)}" for c in columns]
