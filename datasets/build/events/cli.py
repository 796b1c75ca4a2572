"""The commands `daylight events`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from datasets.build.events import synthetic
from datasets.catalogue import find_dataset
from datasets.period import Month

events = typer.Typer(no_args_is_help=True, help="Make or import raw events, on the private host.")


@events.callback()
def _events() -> None:
    """Make or import raw events, on the private host."""


@events.command()
def generate(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="moderation, ads or recommendations")],
    month: Annotated[str, typer.Option(help="the month, YYYY-MM")],
    rows: Annotated[int, typer.Option(help="how many events")],
    out: Annotated[Path, typer.Option(help="folder to write under")],
    seed: Annotated[int, typer.Option(help="the same seed gives the same events")] = 1,
    replace: Annotated[bool, typer.Option("--replace", help="write a month anew that is there")] = False,
) -> None:
    """Write synthetic events, shaped after public figures."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"synthetic events of {dataset}", total=rows)
        folder = synthetic.generate(
            find_dataset(dataset), Month.parse(month), rows=rows, seed=seed, out=out, replace=replace,
            written=lambda number: progress.advance(task, number),
        )  # fmt: skip
    Console().print(f"wrote {folder}")
