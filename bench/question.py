"""One question in process, from its text to the bytes of the answer, compared with hand-written SQL for the same cells."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from api.render.tables import as_json
from bench.build import build, write_events
from bench.figures import BenchmarkLine, alone
from datasets.release.format import layout
from datasets.release.releases import Releases

ROWS = 100_000
TIMES = 300


@dataclass(frozen=True, slots=True)
class Comparison:
    """A question, and the SQL that someone who knows the file would write for it."""

    what: str
    parameters: list[tuple[str, str]]
    sql: str


QUESTIONS = (
    Comparison(
        "one cell",
        [("measure", "actions"), ("category", "SCAMS_AND_FRAUD")],
        "SELECT actions, actions_se FROM cells WHERE cuboid = 'category' AND category = 'SCAMS_AND_FRAUD'",
    ),
    Comparison(
        "actions by category",
        [("measure", "actions"), ("group_by", "category")],
        "SELECT category, actions, actions_se FROM cells WHERE cuboid = 'category'",
    ),
    Comparison(
        "actions by category and member state",
        [("measure", "actions"), ("group_by", "category,member_state")],
        "SELECT category, member_state, actions, actions_se FROM cells WHERE cuboid = 'category,member_state'",
    ),
)


def figures(rows: int = ROWS) -> Iterator[BenchmarkLine]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        alone(write_events, rows, root)
        alone(build, root)
        releases = Releases(
            root / "releases", root / "cache", lambda _text, _signature: None, ("moderation",)
        )
        with duckdb.connect(config={"threads": 1}) as con:
            (release,) = releases.current("moderation")
            con.execute(f"CREATE TABLE cells AS FROM '{release.folder / layout.CELLS}'")
            for each in QUESTIONS:
                ours = _median(partial(_answer, releases, each))
                raw = _median(partial(_fetch, con, each.sql))
                yield BenchmarkLine(
                    each.what, f"{ours * 1e3:.2f} ms", f"{raw * 1e3:.2f} ms (raw DuckDB)", ours / raw
                )
        releases.close()


def _answer(releases: Releases, question: Comparison) -> bytes:
    return b"".join(as_json(releases.ask(releases.question("moderation", question.parameters))))


def _fetch(con: duckdb.DuckDBPyConnection, sql: str) -> object:
    return con.execute(sql).fetchall()


def _median(work: Callable[[], object]) -> float:
    """The median time of many runs in seconds, without the first few, which warm up."""
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times[TIMES // 10 :])
