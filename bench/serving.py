"""Questions over HTTP, against three peers: DuckDB with orjson in a bare ASGI application, datasette over the same cells, and
the API itself with h11 as parser."""

from __future__ import annotations

import http.client
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from bench.figures import BenchmarkLine
from datasets.release.format import layout
from tests.deployment import ALL, Deployment

TIMES, ROUNDS = 300, 5
QUESTION = "/v1/datasets/moderation/aggregates?measure=actions&group_by=category"
LONG = "/v1/datasets/moderation/aggregates?measure=actions&group_by=category,member_state&freq=day"
CUBOIDS = {"category": "category", "long": "category,member_state,day"}


@dataclass(frozen=True, slots=True)
class RequestCost:
    """What one request cost: median seconds at the client, mean CPU seconds of the server, and bytes."""

    seconds: float
    cpu: float
    bytes: int

    def __str__(self) -> str:
        return f"{self.seconds * 1e3:.2f} ms, CPU {self.cpu * 1e6:.0f} us"


class Server:
    """A server in its own process, and one keep-alive connection to it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, fields: Mapping[str, str]) -> None:
        self._process, self._fields = process, dict(fields)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, path: str, **fields: str) -> http.client.HTTPResponse:
        self._connection.request("GET", path, headers={**self._fields, **fields})
        return self._connection.getresponse()

    def measure(self, path: str, times: int = TIMES, status: int = 200, /, **fields: str) -> RequestCost:
        """The cost of a request, measured `times` times after a few to warm up."""
        seconds, size = [], 0
        self._connection.close()  # the server may have closed it while others were measured
        for n in range(times + times // 10):
            if n == times // 10:
                before = self._cpu()
            start = time.perf_counter()
            answer = self.ask(path, **fields)
            size = len(answer.read())
            seconds.append(time.perf_counter() - start)
            if answer.status != status:
                raise RuntimeError(f"{path} was answered {answer.status}")
        return RequestCost(statistics.median(seconds[times // 10 :]), (self._cpu() - before) / times, size)

    def _cpu(self) -> float:
        """CPU seconds of the process with all its threads: its clock as in clock_getcpuclockid(3)."""
        return time.clock_gettime(~self._process.pid << 3 | 2)


@contextmanager
def run_server(command: list[str], port: int, fields: Mapping[str, str], **env: str) -> Iterator[Server]:
    with subprocess.Popen(
        command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                with socket.socket() as tried:
                    if tried.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield Server(process, port, fields)
        finally:
            process.terminate()


def figures(rows: int = 100_000) -> Iterator[BenchmarkLine]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        deployment = Deployment(home)
        release = deployment.release("moderation", "2026-06", rows=rows)
        token = {"Authorization": f"Bearer {deployment.token(deployment.project(ALL, 'extended'))}"}
        deployment.close()
        _write_sqlite(release / layout.CELLS, home / "cells.sqlite")
        bench, h11 = (str(Path(__file__).with_name(name)) for name in ("bare.py", "other_parser.py"))
        daylight, datasette = (
            str(Path(sys.executable).with_name(name)) for name in ("daylight", "datasette")
        )
        ports = _free_ports(5)
        env = {"DAYLIGHT_HOME": folder, "DAYLIGHT_LIMIT_EXTENDED": "100000000/minute"}
        serve = [daylight, "serve", "--port"]
        peer = [
            datasette,
            str(home / "cells.sqlite"),
            "--port",
            str(ports[3]),
            "--setting",
            "max_returned_rows",
            "100000",
        ]
        with (
            run_server([*serve, str(ports[0])], ports[0], token, **env) as ours,
            run_server([*serve, str(ports[1])], ports[1], token, DAYLIGHT_ANSWERS_MIB="0", **env) as uncached,
            run_server(
                [sys.executable, bench, str(release / layout.CELLS), str(ports[2])], ports[2], {}
            ) as bare,
            run_server(peer, ports[3], {}) as other,
            run_server([sys.executable, h11, str(ports[4])], ports[4], token, **env) as with_h11,
        ):
            yield from _latencies(ours, uncached, bare, other, with_h11)
            yield from _throughputs(uncached, bare, other)


def _latencies(
    ours: Server, uncached: Server, bare: Server, other: Server, with_h11: Server
) -> Iterator[BenchmarkLine]:
    with_h11.ask(QUESTION).read()
    answer = ours.ask(QUESTION)
    answer.read()
    known = {"If-None-Match": str(answer.headers["ETag"])}
    rounds = [
        (
            bare.measure("/category"),
            other.measure("/cells/category.json?_shape=array&_size=max"),
            uncached.measure(QUESTION),
            ours.measure(QUESTION),
            ours.measure(QUESTION, TIMES, 304, **known),
            with_h11.measure(QUESTION),
        )
        for _ in range(ROUNDS)  # in turns, so that a busy moment of the machine affects all
    ]
    raw, theirs, fresh, kept, unchanged, kept_with_h11 = (
        _median_cost(each) for each in zip(*rounds, strict=True)
    )
    yield _cpu_figure("uncached", fresh, raw, "bare DuckDB + orjson", "at most 2")
    yield _cpu_figure("uncached", fresh, theirs, "datasette")
    yield _cpu_figure("cached", kept, theirs, "datasette", "at most 0.2")
    yield _cpu_figure("cached", kept, kept_with_h11, "h11 as parser", "at most 0.85")
    yield _cpu_figure("304", unchanged, theirs, "datasette")


def _median_cost(rounds: Sequence[RequestCost]) -> RequestCost:
    return RequestCost(
        statistics.median(each.seconds for each in rounds),
        statistics.median(each.cpu for each in rounds),
        rounds[0].bytes,
    )


def _cpu_figure(what: str, ours: RequestCost, peer: RequestCost, name: str, goal: str = "") -> BenchmarkLine:
    return BenchmarkLine(
        f"actions by category, {what}: CPU", str(ours), f"{peer} ({name})", ours.cpu / peer.cpu, goal
    )


def _throughputs(uncached: Server, bare: Server, other: Server) -> Iterator[BenchmarkLine]:
    cells = int(
        uncached.ask(f"{LONG.replace('aggregates', 'plan')}").read().split(b'"rows":')[1].split(b",")[0]
    )
    raw = bare.measure("/long", 10)
    theirs = other.measure("/cells/long.json?_shape=array&_size=max", 5)
    rate = _rate(cells, raw)
    yield BenchmarkLine(f"{cells:,} rows, datasette as JSON", "", f"{_rate(cells, theirs):,.0f} rows/s")
    for format_ in ("json", "ndjson", "csv", "parquet", "arrow"):
        found = uncached.measure(f"{LONG}&format={format_}", 10)
        yield BenchmarkLine(
            f"{cells:,} rows as {format_}",
            f"{_rate(cells, found):,.0f} rows/s, {found.bytes / 2**20:.1f} MiB",
            f"{rate:,.0f} rows/s (DuckDB + orjson)",
            _rate(cells, found) / rate,
        )


def _rate(rows: int, cost: RequestCost) -> float:
    return rows / cost.seconds


def _write_sqlite(cells: Path, to: Path) -> None:
    """Write each cuboid as an SQLite table with its own columns, for datasette."""
    table = pq.read_table(cells)
    with sqlite3.connect(to) as con:
        for name, cuboid in CUBOIDS.items():
            columns = [*cuboid.split(","), "actions", "actions_se"]
            part = table.filter([c == cuboid for c in table["cuboid"].to_pylist()]).select(columns)
            con.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            con.executemany(
                f"INSERT INTO {name} VALUES ({marks})",
                [tuple(str(v) if c == "day" else v for c, v in row.items()) for row in part.to_pylist()],
            )


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports
