"""The values of published cells: numbers as people write them, with what was mended; nothing is guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}([,\u00a0\u202f' ]\d{3})+(\.\d+)?", re.ASCII)
_DOTTED = re.compile(r"[+-]?\d{1,3}(\.\d{3}){2,}", re.ASCII)
_SHARE = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*%", re.ASCII)
_THOUSANDS = (
    (_GROUPED, r"[,\u00a0\u202f' ]", "marks between thousands"),
    (_DOTTED, r"[.]", "dots between thousands"),
)
ABSENT = {"/", "-", "–", "—", "n/a", "na", "not available", "not applicable"}
"""What stands for a value that is not available; the rules ask for a blank."""


@dataclass(frozen=True, slots=True)
class Value:
    """A published cell: as it stands, the number that it means (None where it holds none), and how it was mended.

    `unread` marks what is neither a number nor a mark for the absence of one.
    """

    text: str
    number: float | None
    mended: str = ""
    unread: bool = False


def read_value(text: str) -> Value:
    """What a cell means.

    >>> read_value("157,643,436").number
    157643436.0
    >>> read_value("97.27%").number
    0.9727
    >>> read_value("about 10").unread
    True
    """
    bare = text.strip()
    if not bare:
        return Value(text, None, "a blank" if text else "")
    if bare.casefold() in ABSENT:
        return Value(text, None, f"{bare!r} for what is not available")
    around = "blanks around a number" if bare != text else ""
    if _PLAIN.fullmatch(bare):
        return Value(text, float(bare), around)
    for form, marks, mended in _THOUSANDS:
        if form.fullmatch(bare):
            return Value(text, float(re.sub(marks, "", bare)), mended)
    if share := _SHARE.fullmatch(bare):
        return Value(
            text, round(float(share[1].replace(",", ".")) / 100, 10), "per cent for a share from 0 to 1"
        )
    return Value(text, None, unread=True)
