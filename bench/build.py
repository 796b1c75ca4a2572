"""Whole builds of moderation events, compared with a plain GROUP BY of the same cuboids in DuckDB."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import duckdb

from bench.figures import BenchmarkLine, alone
from datasets.catalogue import find_dataset
from datasets.definition import CodeList, Cuboid, Dataset, Level
from datasets.period import Month
from datasets.pipeline.engine.sql import enum_type
from datasets.pipeline.events.layout import event_files, month_folder
from datasets.pipeline.events.synthetic import generate_events
from datasets.pipeline.planning.budget import plan_budget
from datasets.pipeline.run import build_release
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner

SIZES = (1_000_000, 10_000_000)
EVERY = 10
"""DuckDB groups by every tenth cuboid, and its CPU time is multiplied by ten: all cuboids would take minutes."""

JUNE = Month(2026, 6)


def sizes() -> tuple[int, ...]:
    """The numbers of rows to build, one build each: from DAYLIGHT_BENCH_ROWS, such as 100000000, or the default."""
    numbers = os.environ.get("DAYLIGHT_BENCH_ROWS")
    return tuple(map(int, numbers.split(","))) if numbers else SIZES


def figures() -> Iterator[BenchmarkLine]:
    for rows in sizes():
        yield from _figures(rows)


def _figures(rows: int) -> Iterator[BenchmarkLine]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        alone(write_events, rows, root)
        _, ours = alone(build, root)
        _, counting = alone(count_with_group_by, root)
    cpu = counting.cpu * EVERY
    yield BenchmarkLine(f"{rows:,} rows: seconds", f"{ours.seconds:.1f} s", goal="10^8: under 600 s")
    yield BenchmarkLine(f"{rows:,} rows: rows/s", f"{rows / ours.seconds:,.0f}")
    yield BenchmarkLine(
        f"{rows:,} rows: CPU seconds", f"{ours.cpu:.1f} s",
        f"{cpu:.1f} s (DuckDB's GROUP BY of codes, every {EVERY}th cuboid times {EVERY})", ours.cpu / cpu, "at most 2",
    )  # fmt: skip
    yield BenchmarkLine(
        f"{rows:,} rows: peak memory",
        f"{ours.peak:,.0f} MiB",
        f"{counting.peak:,.0f} MiB",
        goal="under 4,096 MiB",
    )


def write_events(rows: int, root: Path) -> None:
    generate_events(find_dataset("moderation"), JUNE, rows=rows, seed=1, out=root)


def build(root: Path) -> None:
    """A whole build as the command does it, but without a registry and therefore without a signature."""
    with closing(LedgerStore(f"sqlite:///{root / 'private' / 'ledger.sqlite'}")) as ledger:
        signer = ReleaseSigner(sign=lambda _: "unsigned", verify=lambda _bytes, _signature: None)
        context = BuildContext(
            root / "releases", root / "private", ledger, signer, now=lambda: datetime.now(UTC)
        )
        build_release(find_dataset("moderation"), JUNE, root, context)


def count_with_group_by(root: Path) -> None:
    """Count published cuboids with one GROUP BY each, rows and a weight, over one-byte codes, which is DuckDB's fastest way.

    The rows are raw: they are not validated or bounded, and no noise is added.
    """
    dataset = find_dataset("moderation")
    with duckdb.connect(config={"threads": 2, "memory_limit": "8GiB"}) as con:
        con.execute("SET enable_progress_bar = false; SET perfect_ht_threshold = 20")
        con.execute(f"CREATE TABLE events AS {_codes_sql(dataset, root)}")
        for cuboid in plan_budget(dataset, JUNE).cuboids[::EVERY]:
            names = _names(dataset, cuboid)
            by = f"GROUP BY {names}" if names else ""
            con.execute(
                f"SELECT {names}{', ' if names else ''}count(*), sum(weight) FROM events {by}"
            ).fetchall()


def _codes_sql(dataset: Dataset, root: Path) -> str:
    stored = [d.finest for d in dataset.dimensions if not d.is_calendar]
    columns = [f"{_code_of(level)}::UTINYINT AS {level.name}" for level in stored]
    columns += [
        f"({_parents(coarse, fine)}::UTINYINT[])[{_code_of(fine)} + 1] AS {coarse.name}"
        for dimension in dataset.dimensions
        if not dimension.is_calendar
        for coarse, fine in pairwise(dimension.levels)
    ]
    columns += ["day(occurred_at)::UTINYINT AS day", "1::UTINYINT AS weight"]
    return f"SELECT {', '.join(columns)} FROM {_files(dataset, root)}"


def _code_of(level: Level) -> str:
    return f"enum_code({level.name}::{enum_type(_code_list(level).index)})"


def _parents(coarse: Level, fine: Level) -> list[int]:
    """For each code of the finer list, the position of its parent in the coarser list."""
    index = _code_list(coarse).index
    return [index[str(code.within)] for code in _code_list(fine).codes]


def _code_list(level: Level) -> CodeList:
    assert isinstance(level.codes, CodeList), "days have no codes of their own"
    return level.codes


def _files(dataset: Dataset, root: Path) -> str:
    paths = ", ".join(f"'{path}'" for path in event_files(month_folder(root, dataset, JUNE)))
    return f"read_parquet([{paths}])"


def _names(dataset: Dataset, cuboid: Cuboid) -> str:
    chosen = zip(dataset.dimensions, cuboid, strict=True)
    return ", ".join(dimension.levels[level - 1].name for dimension, level in chosen if level)
