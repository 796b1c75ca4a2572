"""Byte ranges (RFC 9110, section 14): the parts of a file that a request asks for."""

from __future__ import annotations

import re

from datasets.refusal import Refusal, printable

MAX_RANGES = 32

_RANGE = re.compile(r"(\d{0,18})-(\d{0,18})", re.ASCII)


class RangeNotSatisfiable(Refusal):
    """A byte range that lies wholly beyond the end of the file."""

    def __init__(self, header: str, size: int) -> None:
        super().__init__(
            f"Range: {printable(header)} lies beyond the file, which has {size} bytes; ask from 0 to {size - 1}.",
            parameter="Range",
            value=header,
        )
        self.size = size


def satisfiable_ranges(header: str, size: int) -> str | None:
    """The header Range with only those ranges that a file of `size` bytes can serve, each in the form first-last.

    None if the header is to be ignored: it has another unit, is not well-formed, or has more than MAX_RANGES ranges.
    Raises RangeNotSatisfiable if no range can be served.

    >>> satisfiable_ranges("bytes=0-9, -5", 100)
    'bytes=0-9,95-99'
    >>> satisfiable_ranges("items=0-9", 100) is None
    True
    """
    unit, _, listed = header.partition("=")
    if unit.strip().lower() != "bytes":
        return None
    parts = [part.strip() for part in listed.split(",") if part.strip()]
    ranges = [_byte_range(part, size) for part in parts]
    if not ranges or len(ranges) > MAX_RANGES or None in ranges:
        return None
    served = [pair for pair in ranges if pair is not None and pair[0] <= pair[1]]
    if not served:
        raise RangeNotSatisfiable(header, size)
    return "bytes=" + ",".join(f"{first}-{last}" for first, last in served)


def _byte_range(part: str, size: int) -> tuple[int, int] | None:
    """First and last byte; last before first if there is nothing to serve; None if it is not a range."""
    match = _RANGE.fullmatch(part)
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size - 1) if int(last) else (size, size - 1)
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last), size - 1) if last else size - 1
