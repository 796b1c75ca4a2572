"""Arrow columns as DuckDB can read them, whatever they hold: it refuses a column for one value that it cannot represent.

Text that is not UTF-8 becomes bytes, which `fitting` reads row by row. A time outside the years 1 to 9999, and a duration
or a time of day that DuckDB cannot hold, becomes the nearest one that it can: it is in no month of any release either way.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""The first and the last second of the years 1 to 9999, counted from 1970."""
_NANOSECONDS = 9_223_372_035 * 10**9
"""The times that 64 bits can count in nanoseconds end in the second after this one, before and after 1970."""
_DAY = 86_400
_LONGEST = 9 * 10**12
"""Seconds. DuckDB counts a duration in microseconds, in 64 bits."""


def readable_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with each column as `readable_column` returns it."""
    return pa.RecordBatch.from_arrays(
        [readable_column(column) for column in batch.columns], names=batch.schema.names
    )


def readable_column(values: pa.Array) -> pa.Array:
    """The column itself, if DuckDB can read all of it; otherwise as the module says. Nulls stay nulls."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        entries = values.dictionary
        plain = readable_column(entries)
        return values if plain is entries else plain.take(values.indices)
    if is_text(kind):
        return values if _is_utf8(values) else values.cast(bytes_type(kind))
    bounds = _bounds(kind)
    return values if bounds is None else _within(values, *bounds)


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type is one of those for text."""
    return any((pa.types.is_string(kind), pa.types.is_large_string(kind), pa.types.is_string_view(kind)))


def bytes_type(kind: pa.DataType) -> pa.DataType:
    """The type for the bytes of a type for text."""
    return pa.large_binary() if pa.types.is_large_string(kind) else pa.binary()


def _is_utf8(values: pa.Array) -> bool:
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _bounds(kind: pa.DataType) -> tuple[int, int] | None:
    """The least and the greatest number that DuckDB can hold of a type that counts time; None for other types."""
    if pa.types.is_date32(kind):
        return _FIRST // _DAY, _LAST // _DAY
    if pa.types.is_date64(kind):
        return 1000 * _FIRST, 1000 * (_LAST // _DAY * _DAY)
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return -_NANOSECONDS, _NANOSECONDS
    if not (pa.types.is_timestamp(kind) or pa.types.is_time(kind) or pa.types.is_duration(kind)):
        return None
    per = _PER_SECOND[kind.unit]
    if pa.types.is_timestamp(kind):
        return _FIRST * per, (_LAST + 1) * per - 1
    longest = _LONGEST * min(per, 10**6)
    return (0, _DAY * per - 1) if pa.types.is_time(kind) else (-longest, longest)


def _within(values: pa.Array, first: int, last: int) -> pa.Array:
    """The values, those below `first` and above `last` replaced by these."""
    numbers = values.view(pa.int32() if values.type.bit_width == 32 else pa.int64())
    found = pc.min_max(numbers)
    if found["min"].as_py() is None or first <= found["min"].as_py() <= found["max"].as_py() <= last:
        return values
    least, greatest = pa.scalar(first, numbers.type), pa.scalar(last, numbers.type)
    capped = pc.min_element_wise(numbers, greatest, skip_nulls=False)
    return pc.max_element_wise(capped, least, skip_nulls=False).view(values.type)
