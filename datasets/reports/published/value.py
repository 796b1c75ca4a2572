"""Parses the values of published cells: numbers as people write them, and what was corrected. Nothing is guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}([,\u00a0\u202f' ]\d{3})+(\.\d+)?", re.ASCII)
_DOTTED = re.compile(r"[+-]?\d{1,3}(\.\d{3}){2,}", re.ASCII)
_SHARE = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*%", re.ASCII)
_THOUSANDS = (
    (_GROUPED, r"[,\u00a0\u202f' ]", "thousands separators"),
    (_DOTTED, r"[.]", "dots as thousands separators"),
)
ABSENT = {"/", "-", "–", "—", "n/a", "na", "not available", "not applicable"}
"""Ways to write that a value is not available; the rules require a blank."""


@dataclass(frozen=True, slots=True)
class PublishedValue:
    """A published cell: its text, its number (None if there is none), and how the text was corrected.

    `unreadable` is true if the text is neither a number nor a way to write that there is none.
    """

    text: str
    number: float | None
    correction: str = ""
    unreadable: bool = False


def read_value(text: str) -> PublishedValue:
    """Parse the text of a cell.

    >>> read_value("157,643,436").number
    157643436.0
    >>> read_value("97.27%").number
    0.9727
    >>> read_value("about 10").unreadable
    True
    """
    bare = text.strip()
    if not bare:
        return PublishedValue(text, None, "a blank" if text else "")
    if bare.casefold() in ABSENT:
        return PublishedValue(text, None, f"{bare!r} for a value that is not available")
    around = "blanks around a number" if bare != text else ""
    if _PLAIN.fullmatch(bare):
        return PublishedValue(text, float(bare), around)
    for form, marks, correction in _THOUSANDS:
        if form.fullmatch(bare):
            return PublishedValue(text, float(re.sub(marks, "", bare)), correction)
    if share := _SHARE.fullmatch(bare):
        return PublishedValue(
            text,
            round(float(share[1].replace(",", ".")) / 100, 10),
            "a percentage instead of a share from 0 to 1",
        )
    return PublishedValue(text, None, unreadable=True)
