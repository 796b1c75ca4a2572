"""Decodes a published file and splits it into fields; every correction is reported to a callback."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

ReportQuirk = Callable[[str], None]

BROKEN_QUOTES = {"¡¯": "’", "¡®": "‘", "¡°": "“", "¡±": "”"}
"""Chinese double-byte quotation marks (GBK) that were decoded as Latin-1. They occur only in free text."""


def parse_lines(content: bytes, report: ReportQuirk) -> list[list[str]]:
    """The fields of every line that is not empty (RFC 4180, or with semicolons)."""
    text = _decode(content, report)
    if text and not text.endswith(("\n", "\r")):
        report("the last line has no newline")
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    if delimiter != ",":
        report("fields are separated by semicolons instead of commas")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    blank = sum(not any(field.strip() for field in row) for row in rows)
    if blank:
        report(f"{blank} empty line(s) ignored")
    return [
        [_repair_quotes(field, report) for field in row]
        for row in rows
        if any(field.strip() for field in row)
    ]


def normalise(text: str) -> str:
    """A text in the form in which names are compared: surrounding and repeated white space removed, case folded.

    >>> normalise("Number of  notices\\N{NO-BREAK SPACE}received ")
    'number of notices received'
    """
    return " ".join(text.split()).casefold()


def _decode(content: bytes, report: ReportQuirk) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        report("the file begins with a byte order mark")
        content = content[3:]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        report("the file is UTF-16, not UTF-8")
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        where = error.start
    for encoding in ("gb18030", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        report(f"the file is not UTF-8 (byte {where}); it was decoded as {encoding}")
        return text
    report(f"the file is not UTF-8 (byte {where}); bytes that cannot be decoded became �")
    return content.decode("utf-8", "replace")


def _repair_quotes(field: str, report: ReportQuirk) -> str:
    for wrong, right in BROKEN_QUOTES.items():
        if wrong in field:
            report(f"broken quotation marks {wrong!r} were replaced by {right!r}")
            field = field.replace(wrong, right)
    return field
