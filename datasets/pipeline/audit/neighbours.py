"""Neighbouring inputs: a crowd of synthetic events, and canaries whose rows are added to it or not.

The crowd is the same for every canary. It has four people in the canary's own cell, others who share some of its codes, and
on other days so many that a canary's row is the second, third, ... twentieth in its cells, so that a rule that treats small
cells differently shows up in one of them. All values are text, which every column can be read from; the canary with invalid
numbers also has them as doubles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.audit.probe_sites import ProbeSites, Site
from datasets.pipeline.events.layout import month_folder
from datasets.pipeline.events.source import EventSource

Row = dict[str, object]

LADDER = (2, 3, 4, 5, 6, 10, 11, 20)
"""Numbers of rows in a canary's cells, with its own: usual thresholds of rules for small cells."""


@dataclass(frozen=True)
class Canary:
    """Rows whose presence a release must hide: all rows of one person, or all raw rows of one event of an organisation.

    `counted` is the number of rows that are valid and not duplicates. Inputs with an `attacked` canary are built many times
    with noise; for the others, only the exact change of what is published is computed.
    """

    name: str
    rows: tuple[Row, ...]
    counted: int
    attacked: bool = False


def write_events(root: Path, dataset: Dataset, month: Month, rows: Iterable[Row]) -> Path:
    """Write raw events as `daylight events` does, text in one file and doubles in another; returns `root`."""
    folder = month_folder(root, dataset, month)
    folder.mkdir(parents=True)
    names = ProbeSites(dataset, month).columns
    rows = list(rows)
    doubles = [row for row in rows if any(isinstance(value, float) for value in row.values())]
    texts = [row for row in rows if not any(isinstance(value, float) for value in row.values())]
    for number, part in enumerate((texts, doubles)):
        columns = {name: pa.array([row[name] for row in part]) for name in names}
        table = {n: c.cast(pa.string()) if pa.types.is_null(c.type) else c for n, c in columns.items()}
        pq.write_table(pa.table(table), folder / f"part-{number:05}.parquet")
    EventSource(format="table", schema="audit", unit="A made-up person.").write(folder)
    return root


def crowd(dataset: Dataset, month: Month) -> tuple[Row, ...]:
    """The rows that both inputs have: of people, and of an organisation."""
    places = ProbeSites(dataset, month)
    alike = [places.row(f"alike {n}", f"a{n}", places.home_site) for n in range(4)]
    mixed = [places.row(f"mixed {n}", f"m{n}", places.neighbouring_site(n)) for n in range(26)]
    firm = [places.row("firm", f"f{n}", places.neighbouring_site(n), kind="organisation") for n in range(9)]
    ladder = [
        places.row(f"day {day} {n}", f"d{day}-{n}", places.site_on_day(day))
        for day, size in enumerate(LADDER, 10)
        for n in range(size - 1)
    ]
    return (*alike, *mixed, *firm, *ladder)


def canaries(dataset: Dataset, month: Month) -> tuple[Canary, ...]:
    """The canaries, each for a rule that a build might miss (docs/privacy/attacks.md#canaries)."""
    places, over = ProbeSites(dataset, month), 2 * dataset.diagnostics.rows_per_unit

    def rows(at: Iterable[Site], kind: str = "person", unit: str = "canary") -> tuple[Row, ...]:
        return tuple(places.row(unit, f"c{n}", place, kind) for n, place in enumerate(at))

    both = (
        *rows([places.home_site] * over, "organisation"),
        places.row("canary", "person", places.home_site),
    )
    borrowed = tuple(places.row("canary", f"a{n}", places.home_site) for n in range(4))
    wrong = tuple(_invalid_rows(places))
    twice = tuple(
        places.row("firm", "c0", at, "organisation") for at in (places.home_site, places.distant_site(1))
    )
    return (
        Canary("alone in its cell", rows([places.empty_site]), 1, attacked=True),
        Canary("one row among a few", rows([places.home_site]), 1, attacked=True),
        Canary("far over every cap", rows([places.home_site] * over), over, attacked=True),
        *(
            Canary(f"number {size} in its cells", rows([places.site_on_day(day)]), 1)
            for day, size in enumerate(LADDER, 10)
        ),
        Canary("far over every cap, in many cells", rows(map(places.distant_site, range(over))), over),
        Canary("seven rows in seven cells", rows(map(places.distant_site, range(7))), 7),
        Canary("a person who says to be an organisation", both, over + 1),
        Canary("other people's event ids, each twice", (*borrowed, *borrowed), 4),
        Canary("an organisation's event", rows([places.home_site], "organisation", "firm"), 1),
        Canary("an organisation's event, sent twice", twice, 1),
        Canary("rows that do not fit", wrong, 0),
    )


def _invalid_rows(places: ProbeSites) -> Iterator[Row]:
    """Rows that must not be counted: each has one value that is not valid in its column."""
    good = places.row("canary", "w", places.home_site)
    codes, numbers = places.code_columns, places.number_columns
    values: list[tuple[str, object]] = [
        ("unit_id", None), ("unit_id", " "), ("unit_id", "x" * 501), ("event_id", None), ("unit_kind", "robot"),
        ("occurred_at", None), ("occurred_at", "in June"), ("occurred_at", "9999-12-31"), ("occurred_at", "-infinity"),
        *((name, value) for name in codes for value in (None, "no such code", "")),
        *((name, value) for name in places.flag_columns for value in (None, "perhaps", "2")),
        *((name, value) for name in numbers for value in (None, "NaN", "1e999", "-" + "9" * 30)),
        *((name, value) for name in numbers for value in (nan, inf, -inf, 1e300, 0.5)),
    ]  # fmt: skip
    for number, (name, value) in enumerate(values):
        yield {**good, "event_id": f"w{number}", name: value}
