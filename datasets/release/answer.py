"""Answers: every cell of the asked grid, each with its standard error, interval and status, and what they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, product
from operator import itemgetter
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from datasets.privacy.axis import Floats
from datasets.release.question import PERIOD, Question
from datasets.release.uncertainty import CONFIDENCE, UNRELIABLE

ColumnType = Literal["string", "date", "float"]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType


@dataclass(frozen=True)
class Measured:
    """One measure over one period: values and standard errors, and which cells were not collected."""

    values: Floats
    errors: Floats
    uncollected: np.ndarray


@dataclass(frozen=True)
class Answer:
    """A dense table and its metadata. `rows` are tuples in the order of `columns`."""

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    meta: dict[str, Any]


def columns_of(question: Question) -> tuple[Column, ...]:
    """`period`, the grouped levels, with their labels where both are asked, and for each measure m: m, m_se, m_lo, m_hi and
    m_status."""
    period = Column(PERIOD, "date" if question.span.freq == "day" else "string")
    suffixes = ("", "_label") if question.labels == "both" else ("",)
    codes = [period, *(Column(name + suffix, "string") for name in question.group_by for suffix in suffixes)]
    for measure in question.measures:
        codes += [Column(measure + suffix, "float") for suffix in ("", "_se", "_lo", "_hi")]
        codes.append(Column(f"{measure}_status", "string"))
    return tuple(codes)


def rows_of(
    label: str,
    codes: list[list[tuple[str, ...]]],
    measured: dict[str, Measured],
    confidence: float = CONFIDENCE,
) -> list[tuple[Any, ...]]:
    """The rows of one period: the cells of the grid in the order of the code lists, the last group fastest.

    `codes` gives along each grouped level what stands in the row for each code: the code, its label, or both.

    What was not collected has no number: a noisy zero would be taken for a count.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    columns: list[list[Any]] = []
    for found in measured.values():
        value, error = found.values.ravel(), found.errors.ravel()
        status = np.where(error > UNRELIABLE * np.abs(value), "U", "A")
        absent = found.uncollected.ravel()
        numbers = (value, error, value - z * error, value + z * error)
        columns += [_without(absent, each) for each in numbers]
        columns.append(np.where(absent, "L", status).tolist())
    cells = list(product(*codes))
    return [
        (label, *chain.from_iterable(cell), *row)
        for cell, row in zip(cells, zip(*columns, strict=True), strict=True)
    ]


def in_order(
    rows: list[tuple[Any, ...]], columns: Sequence[Column], sort: Sequence[str]
) -> list[tuple[Any, ...]]:
    """The rows sorted by the columns that `sort` names, a minus meaning from the largest down; what has no value is last,
    and what is alike stays in the order of the code lists."""
    places = {column.name: place for place, column in enumerate(columns)}
    for name in reversed(sort):
        place = places[name.removeprefix("-")]
        known = sorted(
            (row for row in rows if row[place] is not None),
            key=itemgetter(place),
            reverse=name.startswith("-"),
        )
        rows = known + [row for row in rows if row[place] is None]
    return rows


def _without(absent: np.ndarray, numbers: Floats) -> list[Any]:
    """The numbers as a list, None where they are absent."""
    return [None if gone else number for gone, number in zip(absent.tolist(), numbers.tolist(), strict=True)]
