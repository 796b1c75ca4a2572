"""The text of a published file: its encoding, its separator, its lines; what had to be mended is told."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

Told = Callable[[str], None]

BROKEN = {"¡¯": "’", "¡®": "‘", "¡°": "“", "¡±": "”"}
"""Chinese double-byte quotation marks (GBK) that were read as Latin-1: one line of defence, for what is only text."""


def lines_of(content: bytes, told: Told) -> list[list[str]]:
    """The fields of every line (RFC 4180, or with semicolons), empty lines left out."""
    text = _decoded(content, told)
    if text and not text.endswith(("\n", "\r")):
        told("the last line has no end")
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    if delimiter != ",":
        told("fields are separated by semicolons, not by commas")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    blank = sum(not any(field.strip() for field in row) for row in rows)
    if blank:
        told(f"{blank} empty line(s) left out")
    return [[_mended(field, told) for field in row] for row in rows if any(field.strip() for field in row)]


def plain(text: str) -> str:
    """A text as names are compared: without blanks around it or doubled, whatever kind they are, in lower case.

    >>> plain("Number of  notices\\N{NO-BREAK SPACE}received ")
    'number of notices received'
    """
    return " ".join(text.split()).casefold()


def _decoded(content: bytes, told: Told) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        told("the file begins with a byte order mark")
        content = content[3:]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        told("the file is UTF-16, not UTF-8")
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
        told(f"the file is no UTF-8 (byte {where}); it was read as {encoding}")
        return text
    told(f"the file is no UTF-8 (byte {where}); what cannot be read stands as �")
    return content.decode("utf-8", "replace")


def _mended(field: str, told: Told) -> str:
    for wrong, right in BROKEN.items():
        if wrong in field:
            told(f"broken quotation marks {wrong!r} were read as {right!r}")
            field = field.replace(wrong, right)
    return field
