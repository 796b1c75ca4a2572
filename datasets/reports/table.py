"""A report as one table, with a row for each number."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from datasets.reports.commitment import Indicator
from datasets.reports.commitments import COMMITMENTS
from datasets.reports.number import Number
from datasets.reports.report import Report

COLUMNS = (
    "period", "commitment", "indicator", "title", "law", "unit", "dataset", "kind", "of", "label",
    "value", "se", "lo", "hi", "status", "question", "releases",
)  # fmt: skip
"""`kind` is period, change, month or code; `of` names the period, month or code."""


def report_rows(report: Report) -> Iterator[tuple[Any, ...]]:
    """The rows, in the order of the commitments."""
    for commitment in COMMITMENTS:
        for declared in commitment.indicators:
            finding = report.findings[declared.name]
            dataset = declared.dataset if isinstance(declared, Indicator) else ""
            first = (
                str(report.period), commitment.name, declared.name, declared.title, declared.law, declared.unit, dataset,
            )  # fmt: skip
            last = (finding.question, " ".join(finding.releases))

            def row(
                kind: str, of: str, label: str, number: Number, first: Any = first, last: Any = last
            ) -> tuple[Any, ...]:
                return (*first, kind, of, label, *_number_fields(number), *last)

            yield row("period", str(report.period), "", finding.number)
            if finding.change is not None:
                yield row("change", finding.change.against, finding.change.sentence, finding.change.number)
            for part in finding.trend:
                yield row("month", part.of, "", part.number)
            for part in finding.by:
                yield row("code", part.of, part.label, part.number)


def report_as_csv(report: Report) -> bytes:
    """The table as CSV (RFC 4180), UTF-8; an empty field means that there is no number."""
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *report_rows(report)])
    return text.getvalue().encode()


def _number_fields(number: Number) -> tuple[Any, ...]:
    return number.value, number.se, number.lo, number.hi, number.status
