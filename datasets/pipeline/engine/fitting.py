"""SQL that converts raw values to the type of their column and says why a row does not fit: pure functions.

Values are converted row by row from whatever type the file has, and only if nothing is lost or guessed: DuckDB by itself
would convert '12.7' to 13 and 'yes' to true, and would drop the offset of a time. The same value fits from every type: a
whole number is an integer, and 0 and 1 are flags, however they are written. Every rule looks at one row only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from datasets.period import Month
from datasets.pipeline.engine.columns import MAX_ID_LENGTH, MAX_VALUE, UNIT_KINDS, EventColumn, Kind
from datasets.pipeline.engine.sql import enum_type, quote_name, string_literal

_WHOLE = frozenset(
    "TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT".split()
)
_FRACTIONAL = ("DOUBLE", "FLOAT", "DECIMAL")
_WITHOUT_ZONE = frozenset(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "DATE"))
_NANOSECONDS = frozenset(("TIMESTAMP_NS", "TIMESTAMPTZ_NS"))
"""As pandas stores times, the second with a zone: docs/traps.md#duckdb-nanoseconds-are-rounded-up."""

_LOCAL_TIME = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?Z?"
_ZONED_TIME = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?[+-]((0\d|1[0-3])(:?[0-5]\d)?|14(:?00)?)"
"""No zone is more than 14 hours from UTC; DuckDB would accept 99: docs/traps.md#duckdb-offsets-of-days."""
NO_TIME = "wrong type: occurred_at is no time"
_BLANKS = "' ' || chr(9) || chr(10) || chr(13)"
_DIGITS = r"[+-]?\d{1,18}"
_DIGITS_AND_ZEROS = r"[+-]?\d{1,18}\.0*"
_SCIENTIFIC = r"[+-]?\d(\.\d{0,14})?[eE][+-]?\d{1,3}"
"""At most 15 digits, so that a DOUBLE is whole only if the number is."""


def conversion_sql(column: EventColumn, stored: str) -> str:
    """SQL for the value of `column`, stored as the SQL type `stored`, in its declared type; NULL if that is impossible."""
    name = _decoded(quote_name(column.name), stored)
    is_text = stored in {"VARCHAR", "BLOB"} or stored.startswith("ENUM")
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

    Bytes that are not UTF-8 are left out: nobody could read them, but they may be most of an identifier. A TIMESTAMP before
    the first date of DuckDB would end the build: docs/traps.md#duckdb-a-timestamp-that-has-no-text. CASE alone does not help,
    since DuckDB casts every entry of a column's dictionary; `greatest` does.
    """
    name = _decoded(quote_name(column.name), stored)
    if stored != "TIMESTAMP":
        return f"{name}::VARCHAR"
    first = "TIMESTAMP '0001-01-01'"
    return (
        f"CASE WHEN {name} IS NULL THEN NULL WHEN {name} < {first} THEN 'before the year 1' "
        f"ELSE greatest({name}, {first})::VARCHAR END"
    )


def broken_text_sql(columns: Iterable[EventColumn], types: Mapping[str, str]) -> str:
    """SQL for the reason why a raw row does not fit if a text in it is not UTF-8; otherwise NULL.

    Only bytes can be such a text: DuckDB has no others, and `datasets.pipeline.engine.arrow` makes them of what it refuses.
    """
    faults = (
        f"WHEN {name} IS NOT NULL AND {_decoded(name, 'BLOB')} IS NULL THEN {string_literal(not_utf8(column.name))}"
        for column in columns
        if types[column.name] == "BLOB" and (name := quote_name(column.name))
    )
    cases = " ".join(faults)
    return f"CASE {cases} END" if cases else "NULL::VARCHAR"


def not_utf8(column: str) -> str:
    """The reason for a text that is not UTF-8."""
    return f"not UTF-8: {column}"


def _decoded(name: str, stored: str) -> str:
    """SQL for bytes as text, or NULL if they are not UTF-8; other values are unchanged."""
    return f"TRY(decode({name}))" if stored == "BLOB" else name


def _time_sql(name: str, stored: str, *, is_text: bool) -> str:
    if stored in _WITHOUT_ZONE:
        return f"TRY_CAST({name} AS TIMESTAMP)"
    if stored in _NANOSECONDS:
        return f"make_timestamp(epoch_ns({name}) // 1000)"
    if stored == "TIMESTAMP WITH TIME ZONE":
        # through the epoch, because a cast to TIMESTAMP would depend on the session's time zone
        return f"make_timestamp(epoch_us({name}))"
    return text_time_sql(name) if is_text else "NULL::TIMESTAMP"


def text_time_sql(text: str) -> str:
    """SQL for the time that a text tells in ISO 8601, as a TIMESTAMP in UTC, which it is in without an offset.

    NULL if it tells none.
    """
    return (
        f"CASE WHEN regexp_full_match({text}, '{_LOCAL_TIME}') THEN TRY_CAST(rtrim({text}, 'Z') AS TIMESTAMP) "
        f"WHEN regexp_full_match({text}, '{_ZONED_TIME}') "
        f"THEN make_timestamp(epoch_us(TRY_CAST({text} AS TIMESTAMPTZ))) END"
    )


def names_no_zone_sql(text: str) -> str:
    """SQL for whether a text is a time in ISO 8601 that says neither its offset nor that it is UTC."""
    return f"(regexp_full_match({text}, '{_LOCAL_TIME}') AND NOT ends_with({text}, 'Z'))"


def _flag_sql(name: str, stored: str, *, is_text: bool) -> str:
    if stored == "BOOLEAN":
        return name
    if stored in _WHOLE or stored.startswith(_FRACTIONAL):
        return f"CASE {name} WHEN 0 THEN false WHEN 1 THEN true END"
    if is_text:
        other = f"CASE {_integer_sql(name, stored, is_text=True)} WHEN 0 THEN false WHEN 1 THEN true END"
        return (
            f"CASE lower({name}) WHEN 'false' THEN false WHEN '0' THEN false WHEN 'true' THEN true WHEN '1' THEN true "
            f"ELSE {other} END"
        )
    return "NULL::BOOLEAN"


def _integer_sql(name: str, stored: str, *, is_text: bool) -> str:
    if stored in _WHOLE:
        return f"TRY_CAST({name} AS BIGINT)"
    if stored.startswith(_FRACTIONAL):
        return _whole_sql(name)
    if is_text:
        return (
            f"CASE WHEN regexp_full_match({name}, '{_DIGITS}') THEN TRY_CAST({name} AS BIGINT) "
            f"WHEN regexp_full_match({name}, '{_DIGITS_AND_ZEROS}') THEN TRY_CAST(split_part({name}, '.', 1) AS BIGINT) "
            f"WHEN regexp_full_match({name}, '{_SCIENTIFIC}') THEN {_whole_sql(f'TRY_CAST({name} AS DOUBLE)')} END"
        )
    return "NULL::BIGINT"


def _whole_sql(number: str) -> str:
    return f"CASE WHEN {number} = trunc({number}) THEN TRY_CAST({number} AS BIGINT) END"


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
                (f"{name} IS NULL", NO_TIME),
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
