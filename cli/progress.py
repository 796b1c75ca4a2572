"""The progress of a build on stderr: its steps; on a terminal also its speed and the time that is left."""

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
    """Two callbacks: one for the start of each step, one for the number of rows that were processed, and of how many.

    The speed, the share and the time that is left all reveal the number of rows, which is protected
    (docs/privacy/not-published.md#exact-numbers). So they are shown only on a terminal, to a person who has the rows anyway,
    and never written to a log. The operating system is asked whether stderr is a terminal, because rich also believes the
    variable FORCE_COLOR.
    """
    is_terminal = sys.stderr.isatty()
    columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()]
    if is_terminal:
        columns += [BarColumn(20), _RowsPerSecond(), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True)) as display:
        running: list[TaskID] = []

        def finish_steps() -> None:
            for task in running:  # as if the step had one row: no number stays on the screen
                display.update(task, total=1, completed=1)

        def on_step(step: str) -> None:
            finish_steps()
            running.append(display.add_task(f"{STEPS.index(step) + 1}/{len(STEPS)} {step}", total=1))

        def on_progress(rows: int, of: int) -> None:
            if is_terminal and running and rows < of:
                display.update(running[-1], total=of, completed=rows)

        yield on_step, on_progress
        finish_steps()
