"""The definition of a part of the harmonised report, and a part filled from releases, as CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from datasets.refusal import Refusal, did_you_mean, nearest, printable
from datasets.reports.coverage import Coverage
from datasets.reports.finding import IndicatorQueries
from datasets.reports.number import Number
from datasets.reports.official.template import Key, Template

Cell = tuple[Key, str]
"""A row's key and the name of a measure column."""


class UnknownPart(Refusal):
    """A part of the harmonised report that is not available here."""


@dataclass
class PartCells:
    """The cells of a part: noisy, and as printed. A cell that is in neither is blank."""

    noisy: dict[Cell, Number] = field(default_factory=dict)
    printed: dict[Cell, int | float] = field(default_factory=dict)

    def add(self, column: str, noisy: Mapping[Key, Number], printed: Mapping[Key, int | float]) -> None:
        self.noisy |= {(key, column): number for key, number in noisy.items()}
        self.printed |= {(key, column): value for key, value in printed.items()}


@dataclass(frozen=True)
class PartDefinition:
    """A part: its template, the dataset and function that fill it, and notes on what is blank or counted differently."""

    template: Template
    title: str
    dataset: str
    measure: str
    fill: Callable[[IndicatorQueries, Coverage, PartCells], None]
    notes: tuple[str, ...]

    def fill_cells(self, inquiry: IndicatorQueries, coverage: Coverage) -> PartCells:
        """The cells of the covered part of a period. Raises what answering a question raises."""
        found = PartCells()
        if coverage.used:
            self.fill(inquiry, coverage, found)
        return found


@dataclass(frozen=True)
class FilledPart:
    """A part filled for a period."""

    part: PartDefinition
    coverage: Coverage
    filled: PartCells
    service: str

    def table(self) -> Iterator[tuple[str, ...]]:
        """The header and the rows, in the template's order, every field as printed."""
        template = self.part.template
        yield template.header
        for row in template.rows:
            first = list(row.fields)
            first[1], first[2] = self.service, self.coverage.period.dates
            numbers = [self._printed_field((row.key, column)) for column in template.measures]
            context = [self._context_field((row.key, column)) for column in template.measures]
            yield (*first, *numbers, *context[: len(template.context)])

    def csv(self) -> bytes:
        """The part as CSV (RFC 4180), UTF-8."""
        text = io.StringIO()
        csv.writer(text).writerows(self.table())
        return text.getvalue().encode()

    def document(self) -> dict[str, Any]:
        """The part as JSON: each printed cell with the noisy number before it was made additive."""
        return {
            "part": self.part.template.name,
            "title": self.part.title,
            "period": str(self.coverage.period),
            "dates": self.coverage.period.dates,
            "coverage": self.coverage.document(),
            "notes": list(self.part.notes),
            "columns": list(self.part.template.measures),
            "cells": [
                {
                    "row": list(key), "column": column.strip(), "printed": self.filled.printed.get((key, column)),
                    **number.document(),
                }
                for (key, column), number in self.filled.noisy.items()
            ],
        }  # fmt: skip

    def _printed_field(self, cell: Cell) -> str:
        value = self.filled.printed.get(cell)
        return "" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)

    def _context_field(self, cell: Cell) -> str:
        number = self.filled.noisy.get(cell)
        if number is None:
            return ""
        of = "" if self.coverage.is_complete else f" Covers {self.coverage.span} only."
        if cell not in self.filled.printed:
            return "Blank: the noise that protects persons leaves no reliable value."
        if isinstance(self.filled.printed[cell], float):
            ends = f"from {number.lo:.1f} to {number.hi:.1f}" if number.hi is not None else "unknown"
            return f"Estimated from bands of hours; 95 % interval {ends}.{of}"
        noise = f"Contains noise of standard error {number.se:,.0f} that protects persons"
        return f"{noise}; rounded, not negative, made additive.{of}"


def find_part(name: str, parts: Mapping[str, PartDefinition]) -> PartDefinition:
    """The part with this official name. Raises UnknownPart, which lists the existing ones."""
    if name not in parts:
        raise UnknownPart(
            f"part {printable(name)!r} is not available; available are {', '.join(parts)}.{did_you_mean(name, parts)}",
            parameter="part",
            value=name,
            allowed=parts,
            suggestions=nearest(name, parts),
        )
    return parts[name]
