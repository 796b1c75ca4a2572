"""A whole build of 10^6 moderation events, against DuckDB's own plain GROUP BY of the same cuboids."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from bench.figures import Figure, alone
from datasets.build.budget import budget_of
from datasets.build.events.layout import event_files, month_folder
from datasets.build.events.synthetic import generate
from datasets.build.ledger_store import LedgerStore
from datasets.build.release import Workshop, build_release
from datasets.build.seal import Seal
from datasets.catalogue import find_dataset
from datasets.definition import Cuboid, Dataset, Level
from datasets.period import Month

ROWS = 1_000_000
JUNE = Month(2026, 6)


def figures(rows: int = ROWS) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        alone(synthetic_events, rows, root)
        _, ours = alone(built, root)
        _, counting = alone(grouped, root)
    yield Figure(
        "seconds", f"{ours.seconds:.1f} s", f"{counting.seconds:.1f} s (GROUP BY)", ours.seconds / counting.seconds,
        "under 30 s",
    )  # fmt: skip
    yield Figure(
        "CPU seconds",
        f"{ours.cpu:.1f} s",
        f"{counting.cpu:.1f} s (GROUP BY)",
        ours.cpu / counting.cpu,
        "at most 3",
    )
    yield Figure("rows/s", f"{rows / ours.seconds:,.0f}", f"{rows / counting.seconds:,.0f}")
    yield Figure("peak memory", f"{ours.peak:,.0f} MiB", f"{counting.peak:,.0f} MiB", goal="under 2,048 MiB")


def synthetic_events(rows: int, root: Path) -> None:
    generate(find_dataset("moderation"), JUNE, rows=rows, seed=1, out=root)


def built(root: Path) -> None:
    """The whole build as the command does it, without a registry: signed by nobody."""
    with closing(LedgerStore(f"sqlite:///{root / 'private' / 'ledger.sqlite'}")) as ledger:
        seal = Seal(sign=lambda _: "unsigned", verify=lambda _bytes, _signature: None)
        workshop = Workshop(root / "releases", root / "private", ledger, seal, now=lambda: datetime.now(UTC))
        build_release(find_dataset("moderation"), JUNE, root, workshop)


def grouped(root: Path) -> None:
    """Each published cuboid counted by one GROUP BY, rows and distinct units' rows alike, from Parquet in memory."""
    dataset = find_dataset("moderation")
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute("SET enable_progress_bar = false")
        con.execute(f"CREATE TABLE events AS {_decoded(dataset, root)}")
        for cuboid in budget_of(dataset, JUNE).cuboids:
            names = _names(dataset, cuboid)
            by = f"GROUP BY {names}" if names else ""
            con.execute(
                f"SELECT {names}{', ' if names else ''}count(*), sum(weight) FROM events {by}"
            ).fetchall()


def _decoded(dataset: Dataset, root: Path) -> str:
    columns = [level.name for level in _stored(dataset)]
    return (
        f"SELECT {', '.join(columns)}, split_part(keyword, '.', 1) AS category, occurred_at::DATE AS day, "
        f"1 AS weight FROM {_files(dataset, root)}"
    )


def _stored(dataset: Dataset) -> list[Level]:
    return [d.finest for d in dataset.dimensions if not d.is_calendar]


def _files(dataset: Dataset, root: Path) -> str:
    paths = ", ".join(f"'{path}'" for path in event_files(month_folder(root, dataset, JUNE)))
    return f"read_parquet([{paths}])"


def _names(dataset: Dataset, cuboid: Cuboid) -> str:
    chosen = zip(dataset.dimensions, cuboid, strict=True)
    return ", ".join(dimension.levels[level - 1].name for dimension, level in chosen if level)
