"""SQL that converts raw values to the type of their column and says why a row does not fit: pure functions.

Values are converted row by row from whatever type the file has, and only if nothing is lost or guessed: DuckDB by itself
would convert '12.7' to 13 and 'yes' to true, and would drop the offset of a time. Every rule looks at one row only.
"""

from __future__ import annotations

from collections.abc import Iterable

from datasets.period import Month
from datasets.pipeline.engine.columns import MAX_ID_LENGTH, MAX_VALUE, UNIT_KINDS, EventColumn, Kind
from datasets.pipeline.engine.sql import enum_type, quote_name, string_literal

_WHOLE = frozenset(
    "TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT".split()
)
_FRACTIONAL = ("DOUBLE", "FLOAT", "DECIMAL")
_WITHOUT_ZONE = frozenset(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"))
_WITH_ZONE = frozenset(("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"))
"""The second is `timestamp[ns, UTC]` of pandas: docs/traps.md#duckdb-nanoseconds-with-a-zone-are-another-type."""

_LOCAL_TIME = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?Z?"
_ZONED_TIME = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?[+-]\d\d(:?\d\d)?"
_BLANKS = "' ' || chr(9) || chr(10) || chr(13)"
_WHOLE_NUMBER = r"-?\d{1,18}"


def conversion_sql(column: EventColumn, stored: str) -> str:
    """SQL for the value of `column`, stored as the SQL type `stored`, in its declared type; NULL if that is impossible."""
    name = quote_name(column.name)
    is_text = stored == "VARCHAR" or stored.startswith("ENUM")
    match column.kind:
        case Kind.ID:
            return (
                f"CAST({name} AS VARCHAR)"
                if is_text or stored in _WHOLE or stored == "UUID"
                else "NULL::VARCHAR"
            )
        case Kind.UNIT_KIND | Kind.CODE:
            return f"TRY_CAST(CAST({name} AS VARCHAR) AS {enum_type(column.codes)})"
        case Kind.MOMENT:
            return _time_sql(name, stored, is_text=is_text)
        case Kind.FLAG:
            return _flag_sql(name, stored, is_text=is_text)
        case Kind.INTEGER:
            return _integer_sql(name, stored, is_text=is_text)


def text_sql(column: EventColumn, stored: str) -> str:
    """SQL for the value of `column`, stored as the SQL type `stored`, as text for the quarantine.

    A TIMESTAMP before the first date of DuckDB would end the build: docs/traps.md#duckdb-a-timestamp-that-has-no-text.
    CASE alone does not help, since DuckDB casts every entry of a column's dictionary; `greatest` does.
    """
    name = quote_name(column.name)
    if stored != "TIMESTAMP":
        return f"{name}::VARCHAR"
    first = "TIMESTAMP '0001-01-01'"
    return (
        f"CASE WHEN {name} IS NULL THEN NULL WHEN {name} < {first} THEN 'before the year 1' "
        f"ELSE greatest({name}, {first})::VARCHAR END"
    )


def _time_sql(name: str, stored: str, *, is_text: bool) -> str:
    if stored in _WITHOUT_ZONE:
        return f"TRY_CAST({name} AS TIMESTAMP)"
    if (
        stored in _WITH_ZONE
    ):  # through the epoch, because a cast to TIMESTAMP would depend on the session's time zone
        return f"make_timestamp(epoch_us({name}::TIMESTAMPTZ))"
    if is_text:
        return (
            f"CASE WHEN regexp_full_match({name}, '{_LOCAL_TIME}') THEN TRY_CAST(rtrim({name}, 'Z') AS TIMESTAMP) "
            f"WHEN regexp_full_match({name}, '{_ZONED_TIME}') "
            f"THEN make_timestamp(epoch_us(TRY_CAST({name} AS TIMESTAMPTZ))) END"
        )
    return "NULL::TIMESTAMP"


def _flag_sql(name: str, stored: str, *, is_text: bool) -> str:
    if stored == "BOOLEAN":
        return name
    if stored in _WHOLE:
        return f"CASE {name} WHEN 0 THEN false WHEN 1 THEN true END"
    if is_text:
        return f"CASE lower({name}) WHEN 'false' THEN false WHEN '0' THEN false WHEN 'true' THEN true WHEN '1' THEN true END"
    return "NULL::BOOLEAN"


def _integer_sql(name: str, stored: str, *, is_text: bool) -> str:
    if stored in _WHOLE:
        return f"TRY_CAST({name} AS BIGINT)"
    if stored.startswith(_FRACTIONAL):
        return f"CASE WHEN {name} = trunc({name}) THEN TRY_CAST({name} AS BIGINT) END"
    if is_text:
        return f"CASE WHEN regexp_full_match({name}, '{_WHOLE_NUMBER}') THEN TRY_CAST({name} AS BIGINT) END"
    return "NULL::BIGINT"


def reason_sql(columns: Iterable[EventColumn], month: Month) -> str:
    """SQL for the reason why a row of converted values does not fit: its first fault; NULL if it fits."""
    faults = [fault for column in columns for fault in _faults(column, month)]
    return (
        "CASE "
        + " ".join(f"WHEN {condition} THEN {string_literal(words)}" for condition, words in faults)
        + " END"
    )


def fits_sql(columns: Iterable[EventColumn], month: Month) -> str:
    """SQL for whether a row of converted values has no fault: much cheaper than `reason_sql`; never NULL.

    A condition is NULL only if its column is NULL, and then the first of that column's conditions is true.
    """
    return " AND ".join(f"NOT ({condition})" for column in columns for condition, _ in _faults(column, month))


def _faults(column: EventColumn, month: Month) -> list[tuple[str, str]]:
    name = quote_name(column.name)
    match column.kind:
        case Kind.ID:
            return [
                # the first comparison of each pair is cheap and decides nearly every row: a text of blanks begins with a
                # blank, and a text never has more characters than bytes
                (
                    f"{name} IS NULL OR ({name} < '!' AND trim({name}, {_BLANKS}) = '')",
                    f"null id: {column.name}",
                ),
                (
                    f"strlen({name}) > {MAX_ID_LENGTH} AND length({name}) > {MAX_ID_LENGTH}",
                    f"over-long id: {column.name}",
                ),
            ]
        case Kind.UNIT_KIND:
            return [(f"{name} IS NULL", f"bad unit_kind: neither {' nor '.join(UNIT_KINDS)}")]
        case Kind.MOMENT:
            start, end = (f"TIMESTAMP '{moment:%Y-%m-%d}'" for moment in (month.start, month.next.start))
            return [
                (f"{name} IS NULL", f"wrong type: {column.name} is no time"),
                (f"{name} < {start}", f"late, of an earlier month: {column.name}"),
                (f"{name} >= {end}", f"of a later month: {column.name}"),
            ]
        case Kind.CODE:
            return [(f"{name} IS NULL", f"unknown code: {column.name}")]
        case Kind.FLAG:
            return [(f"{name} IS NULL", f"wrong type: {column.name} is neither true nor false")]
        case Kind.INTEGER:
            return [
                (f"{name} IS NULL", f"wrong type: {column.name} is no whole number"),
                (f"{name} NOT BETWEEN -{MAX_VALUE} AND {MAX_VALUE}", f"out of range: {column.name}"),
            ]
