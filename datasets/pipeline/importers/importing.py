"""Imports source files as a month of raw events, with a quarantine of the rows that do not fit; all or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.fitting import NO_TIME
from datasets.pipeline.events.careful import open_plain
from datasets.pipeline.events.layout import month_folder, quarantine_folder, staged_month
from datasets.pipeline.events.quarantine import write_totals
from datasets.pipeline.events.source import EventSource
from datasets.pipeline.importers.equal_rows import number_equal_rows
from datasets.pipeline.importers.event_writer import BATCH, EventWriter, missing_levels_and_values
from datasets.pipeline.importers.layout import SourceFormat, SourceLayout
from datasets.pipeline.importers.sources import (
    CsvSource,
    RowBatch,
    UnreadableFile,
    csv_sources,
    ensure_distinct,
    ensure_sources,
    has_sha1,
    open_csv,
    readable_text,
    text_column,
)
from datasets.refusal import Refusal, printable

OnBytes = Callable[[int], None]
"""Called with the number of bytes of the sources read so far."""


class NothingFits(Refusal):
    """No row of the sources is an event of the month."""


class WrongDataset(Refusal):
    """The format cannot be imported as this dataset."""


@dataclass(frozen=True, slots=True)
class ImportedMonth:
    """The folders of an imported month; `remarks` are sentences for the operator."""

    folder: Path
    quarantine: Path
    source: EventSource
    remarks: tuple[str, ...]


def import_events(
    dataset: Dataset,
    month: Month,
    form: SourceFormat,
    sources: list[Path],
    out: Path,
    *,
    replace: bool = False,
    on_bytes: OnBytes = lambda number: None,
) -> ImportedMonth:
    """Write the events of `month` in the sources under `out`, and the rows that do not fit to its quarantine folder.

    Raises WrongDataset, UnreadableFile, NothingFits, MonthExists and MonthIsBeingWritten; in these cases nothing is written.
    """
    if form.dataset not in {None, dataset.name}:
        raise WrongDataset(f"--format {form.name} is imported as {form.dataset}, not as {dataset.name}")
    paths = ensure_sources(sources, form.suffixes)
    before = 0
    layouts = _Layouts(dataset, form)
    with staged_month(out, dataset, month, replace=replace) as staging:
        with EventWriter(dataset, month, staging) as intake:
            for path in paths:
                _import_file(path, form, layouts, intake, _offset(before, on_bytes))
                before += path.stat().st_size
            totals = intake.totals()
        if not totals.kept:
            raise NothingFits(
                _why_nothing_fits(totals.reasons, month, layouts.untold_time, intake.formats_of_times())
            )
        if layouts.numbers_equal_rows:
            number_equal_rows(staging.events)
        write_totals(totals, staging.quarantine)
        source = layouts.source()
        source.write(staging.events)
    return ImportedMonth(
        month_folder(out, dataset, month),
        quarantine_folder(out, dataset, month),
        source,
        _import_remarks(paths, source),
    )


class _Layouts:
    """The layout of each file; all files of one import must have the same layout."""

    def __init__(self, dataset: Dataset, form: SourceFormat) -> None:
        self._dataset, self._form = dataset, form
        self._first: tuple[str, SourceLayout] | None = None

    def of(self, file: str, header: tuple[str, ...]) -> SourceLayout:
        found = self._form.layout(self._dataset, file, header)
        if self._first is None:
            self._first = file, found
        name, first = self._first
        if found.schema != first.schema:
            raise UnreadableFile(
                f"{file} is {found.schema}, but {name} is {first.schema}; import them separately"
            )
        return first

    @property
    def untold_time(self) -> str:
        """The source's column of times, if its format was not told."""
        return self._first[1].mapping.untold_time if self._first else ""

    @property
    def numbers_equal_rows(self) -> bool:
        return self._first is not None and self._first[1].mapping.numbers_equal_rows

    def source(self) -> EventSource:
        assert self._first is not None
        layout = self._first[1]
        levels, values = missing_levels_and_values(self._dataset, layout.mapping)
        return EventSource(
            format=self._form.name, schema=layout.schema, unit=layout.unit, notes=layout.notes,
            not_collected=levels, not_collected_values=values,
        )  # fmt: skip


def _offset(before: int, passed: OnBytes) -> OnBytes:
    return lambda number: passed(before + number)


def _import_file(
    path: Path, form: SourceFormat, layouts: _Layouts, intake: EventWriter, passed: OnBytes
) -> None:
    if path.suffix.lower() == ".parquet":
        _import_parquet(path, layouts, intake, passed)
        return
    for member in csv_sources(path):
        _import_csv(member, form, layouts, intake, passed)
    passed(path.stat().st_size)


def _import_csv(
    member: CsvSource, form: SourceFormat, layouts: _Layouts, intake: EventWriter, passed: OnBytes
) -> None:
    with open_csv(member, delimiter=form.delimiter, encoding=form.encoding) as file:
        layout = layouts.of(file.name, file.header)
        for batch in file.batches(BATCH):
            for first, rows in _complete_rows(batch, file.name, file.header, intake):
                columns = [text_column(values) for values in zip(*rows, strict=True)]
                found = pa.RecordBatch.from_arrays(columns, names=list(file.header))
                intake.add(found, layout.mapping, file.name, first)
            passed(member.bytes_read())


def _complete_rows(
    batch: RowBatch, file: str, header: tuple[str, ...], intake: EventWriter
) -> Iterator[tuple[int, list[list[str]]]]:
    """Runs of rows with as many fields as the header; other rows go to quarantine."""
    run: list[list[str]] = []
    start = batch.first
    for number, row in enumerate(batch.rows, batch.first):
        if len(row) == len(header):
            run.append(row)
            continue
        record = json.dumps([readable_text(value) for value in row], ensure_ascii=False)
        intake.add_malformed(file, number, "wrong number of fields", record)
        if run:
            yield start, run
        run, start = [], number + 1
    if run:
        yield start, run


def _import_parquet(path: Path, layouts: _Layouts, intake: EventWriter, passed: OnBytes) -> None:
    try:
        with open_plain(path) as file:
            header = tuple(file.schema_arrow.names)
            ensure_distinct(path.name, header)
            layout = layouts.of(path.name, header)
            first, rows = 1, max(1, file.metadata.num_rows)
            for batch in file.iter_batches(BATCH):
                intake.add(batch, layout.mapping, path.name, first)
                first += batch.num_rows
                passed(path.stat().st_size * (first - 1) // rows)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(
            f"{path} is not a Parquet file, or is truncated or damaged "
            f"({printable(str(error).splitlines()[0] if str(error) else type(error).__name__)})"
        ) from None


def _why_nothing_fits(reasons: Mapping[str, int], month: Month, column: str, formats: tuple[str, ...]) -> str:
    if not reasons:
        return "the sources contain no row; name files with at least one event"
    likeliest = max(reasons, key=lambda reason: reasons[reason])
    if formats and likeliest == NO_TIME:
        quoted = json.dumps(column, ensure_ascii=False)
        given = " or ".join(f'format = "{form}"' for form in formats)
        return (
            f"no row of the sources is an event of {month}: the column {printable(column)!r} has no times in ISO 8601, but "
            f"all its values are times with {given}; write occurred_at = {{ column = {quoted}, "
            f'format = "{formats[0]}" }} in the mapping, with a zone if they name none and are not UTC'
        )
    return f"no row of the sources is an event of {month}; the most frequent reason is {likeliest!r}; check --month"


def _import_remarks(paths: tuple[Path, ...], source: EventSource) -> tuple[str, ...]:
    unchecked = [path.name for path in paths if not has_sha1(path)]
    missing = (*source.not_collected, *source.not_collected_values)
    return (
        *((f"not in the source, therefore unknown: {', '.join(missing)}",) if missing else ()),
        f"privacy unit: {source.unit}",
        *((f"no .sha1 for {', '.join(unchecked[:5])}{' …' if len(unchecked) > 5 else ''}: not checked",)
          if unchecked and source.format == "statements-of-reasons" else ()),
    )  # fmt: skip
