"""Packing: the codes of a row in as few 64-bit words as possible, so that rows stay narrow while they are bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.sql import enum_type, quote_name

_BITS = 64


@dataclass(frozen=True, slots=True)
class BitField:
    """The bits that hold the position of a dimension's finest code: number of the word, shift, and width in bits."""

    word: int
    shift: int
    bits: int


@dataclass(frozen=True, slots=True)
class Packing:
    """One bit field for each dimension, in `words` words of 64 bits."""

    fields: tuple[BitField, ...]
    words: int

    def codes(self, words: Sequence[NDArray[np.uint64]]) -> tuple[NDArray[np.intp], ...]:
        """The positions of the finest codes, one array per dimension, from one array per word."""
        return tuple(
            ((words[at.word] >> np.uint64(at.shift)) & np.uint64((1 << at.bits) - 1)).astype(np.intp)
            for at in self.fields
        )


def pack_codes(sizes: Sequence[int]) -> Packing:
    """The bit fields for dimensions with these numbers of codes, in order.

    >>> pack_codes([118, 3]).fields
    (BitField(word=0, shift=0, bits=7), BitField(word=0, shift=7, bits=2))
    """
    places, word, used = [], 0, 0
    for size in sizes:
        bits = max(1, (size - 1).bit_length())
        if used + bits > _BITS:
            word, used = word + 1, 0
        places.append(BitField(word, used, bits))
        used += bits
    return Packing(tuple(places), word + 1)


@cache
def packing_for(dataset: Dataset, month: Month) -> Packing:
    """The packing of a dataset's finest codes in a month."""
    return pack_codes([len(d.finest.codes.in_month(month)) for d in dataset.dimensions])


def packed_words_sql(dataset: Dataset, month: Month) -> tuple[str, ...]:
    """The words of a valid event, as SQL expressions over its columns.

    Codes are multiplied instead of shifted: DuckDB refuses to shift into the topmost bit.
    """
    packed = packing_for(dataset, month)
    terms: list[list[str]] = [[] for _ in range(packed.words)]
    for dimension, place in zip(dataset.dimensions, packed.fields, strict=True):
        codes = [code.code for code in dimension.finest.codes.in_month(month)]
        position = _position_sql(dimension.finest.name, codes, is_calendar=dimension.is_calendar)
        terms[place.word].append(f"({position})::UBIGINT * {1 << place.shift}::UBIGINT")
    return tuple(" + ".join(of_word) for of_word in terms)


def _position_sql(column: str, codes: Sequence[str], *, is_calendar: bool) -> str:
    if is_calendar:
        return "day(occurred_at) - 1"
    return f"enum_code({quote_name(column)}::{enum_type(codes)})"
