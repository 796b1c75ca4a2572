"""Progress: what a build is doing, on stderr; how fast and how long still, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from datasets.pipeline.state.context import STEPS

OnStep = Callable[[str], None]
OnProgress = Callable[[int, int], None]


class _RowsPerSecond(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} rows/s" if task.speed and (task.total or 0) > 1 else "")


@contextmanager
def progress() -> Iterator[tuple[OnStep, OnProgress]]:
    """Two functions to tell: of each step by name, and of how many rows of how many it has dealt with.

    Rows a second, a share done and a time left all tell how many rows there are, which is protected (PRIVACY.md, section
    11). They are for the eyes of whoever sits there and holds the rows anyway, so they are drawn only where stderr is a
    terminal, and forgotten with it. Whether it is one, the operating system is asked: rich takes FORCE_COLOR for a
    terminal, and a log would then keep the numbers.
    """
    is_terminal = sys.stderr.isatty()
    columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()]
    if is_terminal:
        columns += [BarColumn(20), _RowsPerSecond(), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True)) as shown:
        running: list[TaskID] = []

        def ended() -> None:
            for task in running:  # as if it had had one row: what stays on the screen holds no number
                shown.update(task, total=1, completed=1)

        def said(step: str) -> None:
            ended()
            running.append(shown.add_task(f"{STEPS.index(step) + 1}/{len(STEPS)} {step}", total=1))

        def passed(rows: int, of: int) -> None:
            if is_terminal and running and rows < of:
                shown.update(running[-1], total=of, completed=rows)

        yield said, passed
        ended()
