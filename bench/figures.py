"""The results of a benchmark: our figures next to those of a named peer, measured in one run."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeVar

from cli.terminal import print_table

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class BenchmarkLine:
    """One line of the table. `ratio` is our figure divided by the peer's; `goal` says what it should be."""

    what: str
    ours: str
    peer: str = ""
    ratio: float | None = None
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a piece of work: wall-clock seconds, CPU seconds, and the peak memory of its process in MiB."""

    seconds: float
    cpu: float
    peak: float


def alone(work: Callable[..., Result], *arguments: object) -> tuple[Result, Cost]:
    """Do a piece of work in a new process and return its result and its cost. Raises what the work raises."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, arguments))


def _measured(work: Callable[..., Result], arguments: tuple[object, ...]) -> tuple[Result, Cost]:
    clock, cpu = time.perf_counter(), time.process_time()
    result = work(*arguments)
    seconds, cpu = time.perf_counter() - clock, time.process_time() - cpu
    return result, Cost(seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def show(title: str, figures: Iterable[BenchmarkLine]) -> None:
    """Print the lines of one benchmark as a table."""
    lines = [
        (line.what, line.ours, line.peer, "" if line.ratio is None else f"{line.ratio:.2f}", line.goal)
        for line in figures
    ]
    print_table(("", "Daylight", "peer or limit", "ratio", "goal"), lines, title=title, right=("ratio",))
