"""The command `daylight reports`: compare published transparency reports with releases."""

from __future__ import annotations

import csv
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from datasets.release.releases import Releases
from datasets.reports.period import ReportPeriod
from datasets.reports.published.reading import read_part
from datasets.reports.published.reconciliation import CellComparison, Reconciliation, compare_with_releases
from datasets.reports.published.structure import describe_cell

_out = Console()
FIRST = 15
"""Number of cells and quirks that are shown; `--out` writes every cell."""
COLUMNS = (
    "file",
    "row",
    "column",
    "reported",
    "released",
    "se",
    "lo",
    "hi",
    "standard_errors_apart",
    "verdict",
)


def reports_commands(open_releases: Callable[[], AbstractContextManager[Releases]]) -> typer.Typer:
    """The commands of `daylight reports`; `open_releases` opens the published releases."""
    app = typer.Typer(no_args_is_help=True, help="Compare published transparency reports with releases.")

    @app.callback()
    def reports() -> None:
        """Compare published transparency reports with releases."""

    @app.command()
    def reconcile(
        paths: Annotated[
            list[Path], typer.Argument(metavar="PART.csv...", help="parts, as they were published")
        ],
        period: Annotated[
            str,
            typer.Option(help="the period to compare with, if not the file's own: 2026-06, 2026-Q2, 2026-H1"),
        ] = "",
        out: Annotated[Path | None, typer.Option(help="CSV file to write every compared cell to")] = None,
    ) -> None:
        """Read published parts, also malformed ones, check their sums, and compare each cell with the releases."""
        wanted = ReportPeriod.parse(period) if period else None
        parts = [read_part(path) for path in paths]
        with open_releases() as releases:
            found = [compare_with_releases(part, releases, wanted) for part in parts]
        for each in found:
            _print_reconciliation(each)
        if out is not None:
            _write_csv(out, found)
            _print_line(f"wrote {out}")

    return app


def _print_reconciliation(found: Reconciliation) -> None:
    part = found.part
    _print_line(f"\n{part.path.name}: {part.template.name}, {len(part.rows)} rows")
    _print_list(
        "mended", [f"{quirk} ({times} times)" if times > 1 else quirk for quirk, times in part.quirks.items()]
    )
    _print_list("not read", part.unreadable)
    _print_list("does not keep the rules", list(found.violations))
    for sentence in found.sentences():
        _print_line(sentence)
    differing = [each for each in found.comparisons if each.verdict == "differs"]
    _print_list(
        "differs",
        [
            _differing_cell_line(each)
            for each in sorted(differing, key=lambda each: -abs(each.errors_apart or 0.0))
        ],
    )
    _print_line(", ".join(f"{verdict}: {times}" for verdict, times in found.verdicts.most_common()))


def _differing_cell_line(comparison: CellComparison) -> str:
    number, apart = comparison.released, comparison.errors_apart or 0.0
    assert number is not None
    return (
        f"{describe_cell(comparison.cell)}: {comparison.reported:,.10g} reported, {number.value:,.0f} released "
        f"[{number.lo:,.0f}, {number.hi:,.0f}], {apart:+.1f} standard errors"
    )


def _print_line(sentence: str) -> None:
    _out.print(escape(sentence), soft_wrap=True, highlight=False)


def _print_list(what: str, sentences: list[str]) -> None:
    for sentence in sentences[:FIRST]:
        _print_line(f"  {what}: {sentence}")
    if len(sentences) > FIRST:
        _print_line(f"  {what}: and {len(sentences) - FIRST} more")


def _write_csv(path: Path, found: list[Reconciliation]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for each in found:
            writer.writerows(_csv_row(each.part.path.name, comparison) for comparison in each.comparisons)


def _csv_row(file_name: str, comparison: CellComparison) -> tuple[object, ...]:
    number = comparison.released
    row, column = comparison.cell
    return (
        file_name,
        " / ".join(key.strip() for key in row),
        column.strip(),
        comparison.reported,
        *((number.value, number.se, number.lo, number.hi) if number else (None,) * 4),
        comparison.errors_apart,
        comparison.verdict,
    )
