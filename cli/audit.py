"""The command `daylight release audit`: test the privacy guarantee by attacking builds of made-up data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from cli.dataset_name import DatasetName
from datasets.catalogue import find_dataset
from datasets.pipeline.audit.examination import CONFIDENCE, DELTA, MIN_BUILDS, audit, number_of_builds
from datasets.pipeline.audit.verdict import Verdict

_out = Console()
_err = Console(stderr=True)


def audit_release(
    dataset: DatasetName,
    builds: Annotated[
        int,
        typer.Option(
            min=MIN_BUILDS, help="builds of each input; 400 are enough to detect noise that is half too small"
        ),
    ] = 50,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="confidence of the lower bound on epsilon")
    ] = CONFIDENCE,
    delta: Annotated[
        float, typer.Option(min=1e-12, max=0.1, help="the delta for which epsilon is bounded")
    ] = DELTA,
    as_json: Annotated[bool, typer.Option("--json", help="print the verdicts as JSON")] = False,
) -> None:
    """Attack builds of made-up neighbouring inputs, as an adversary who knows everybody except one person.

    It reads no events and spends no budget. The exit code is 1 if a verdict fails.
    """
    declared = find_dataset(dataset)
    with _build_progress(number_of_builds(declared, builds)) as advance:
        found = audit(declared, builds=builds, confidence=confidence, delta=delta, on_build=advance)
    _out.print_json(as_json_text(found)) if as_json else _print_verdicts(dataset, found)
    if not all(verdict.passed for verdict in found):
        raise typer.Exit(1)


def as_json_text(found: Sequence[Verdict]) -> str:
    """The verdicts as JSON; infinite numbers are null."""
    finite = [
        {n: None if v in (float("inf"), float("-inf")) else v for n, v in asdict(each).items()}
        for each in found
    ]
    return json.dumps([{**each, "passed": v.passed} for each, v in zip(finite, found, strict=True)])


@contextmanager
def _build_progress(total: int) -> Iterator[Callable[[], None]]:
    columns = (
        TextColumn("building"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_err) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)


def _print_verdicts(dataset: str, found: Sequence[Verdict]) -> None:
    table = Table(title=f"{dataset}: what an adversary sees", title_justify="left")
    for heading in ("about", "test"):
        table.add_column(heading, overflow="fold")
    for heading in ("measured", "promised", "limit"):
        table.add_column(heading, justify="right")
    table.add_column("")
    last = ""
    for v in found:
        if v.about != last:
            table.add_section()
        numbers = (f"{number:.3f}" for number in (v.measured, v.promised, v.limit))
        table.add_row(
            v.about if v.about != last else "",
            v.test,
            *numbers,
            "passed" if v.passed else "[bold]FAILED[/bold]",
        )
        last = v.about
    _out.print(table)
    failed = [v for v in found if not v.passed]
    for v in failed:
        _out.print(f"FAILED {v.about}: {v.test}: {v.detail}")
    _out.print(
        f"{len(found)} verdicts, {len(failed)} failed" if failed else f"{len(found)} verdicts, all passed"
    )
