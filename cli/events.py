"""The commands `daylight events`: make synthetic events, or import real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from cli.dataset_name import DatasetName
from datasets.catalogue import find_dataset
from datasets.period import Month
from datasets.pipeline.events import synthetic
from datasets.pipeline.importers.formats import FORMATS, find_format
from datasets.pipeline.importers.importing import import_events

events = typer.Typer(no_args_is_help=True, help="Make or import raw events, on the private host.")


@events.callback()
def events_group() -> None:
    """Make or import raw events, on the private host."""


@events.command()
def generate(
    dataset: DatasetName,
    month: Annotated[str, typer.Option(help="the month, YYYY-MM")],
    rows: Annotated[int, typer.Option(help="how many events")],
    out: Annotated[Path, typer.Option(help="folder to write under")],
    seed: Annotated[int, typer.Option(help="the same seed gives the same events")] = 1,
    replace: Annotated[bool, typer.Option("--replace", help="replace the month if it exists")] = False,
) -> None:
    """Write synthetic events that follow public figures."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"synthetic events of {dataset}", total=rows)
        folder = synthetic.generate_events(
            find_dataset(dataset), Month.parse(month), rows=rows, seed=seed, out=out, replace=replace,
            on_progress=lambda number: progress.advance(task, number),
        )  # fmt: skip
    Console().print(f"wrote {folder}")


@events.command(name="import")
def import_(
    dataset: DatasetName,
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="the files to import")],
    form: Annotated[str, typer.Option("--format", help=" | ".join(FORMATS))],
    month: Annotated[str, typer.Option(help="the month, YYYY-MM")],
    out: Annotated[Path, typer.Option(help="folder to write under")],
    mapping: Annotated[
        Path | None, typer.Option(help="for --format table: a TOML file that maps columns to the dataset")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="replace the month if it exists")] = False,
) -> None:
    """Import a month of events from files in other formats. Rows that do not fit go to quarantine."""
    declared = find_dataset(dataset)
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as progress:
        total = sum(path.stat().st_size for path in sources if path.is_file())
        task = progress.add_task(f"importing events of {dataset}", total=total)
        imported = import_events(
            declared, Month.parse(month), find_format(form, declared, mapping), sources, out, replace=replace,
            on_bytes=lambda number: progress.update(task, completed=number),
        )  # fmt: skip
    for remark in imported.remarks:
        console.print(remark, highlight=False, soft_wrap=True)
    console.print(
        f"rows that did not fit, if any, each with its reason: {imported.quarantine} (private)",
        soft_wrap=True,
    )
    Console().print(f"wrote {imported.folder}")
