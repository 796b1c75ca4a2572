"""The output of `daylight release plan --from`: noise and bias for several contribution bounds."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.planning.bounds import NoEarlierRelease, earlier_release, forecast_bounds
from datasets.pipeline.settings import BuildSettings
from datasets.refusal import printable
from datasets.release.format.verification import Verify

_out = Console()


def print_bound_choices(
    dataset: Dataset, month: Month, earlier: str, rows_per_unit: str, verify: Verify
) -> None:
    """Print the noise and the bias for each candidate bound. Raises NoEarlierRelease if one cannot be estimated."""
    root, candidates = BuildSettings().releases, _parse_row_counts(rows_per_unit)
    manifest = earlier_release(root, dataset, earlier, month, verify)
    table = Table(
        title=f"{dataset.name} {month}: noise and bias by rows a person, from {earlier}", title_justify="left"
    )
    for heading in ("measure", "by", "at"):
        table.add_column(heading, overflow="fold")
    for heading in ("rows a person", "standard error", "kept", "bias"):
        table.add_column(heading, justify="right")
    for c in sorted(
        forecast_bounds(dataset, month, root, manifest, candidates),
        key=lambda c: (c.measure, c.cuboid != "total", c.cuboid),
    ):
        kept = f"{c.kept[0]:.1%} to {c.kept[1]:.1%}" if c.kept else "lost in noise"
        bias = f"{c.bias[0]:,.0f} to {c.bias[1]:,.0f}" if c.bias else ""
        table.add_row(c.measure, c.cuboid, c.code, str(c.rows_per_unit), f"{c.error:,.1f}", kept, bias)
    _out.print(table)
    _out.print(
        "Standard errors are promised. Shares and bias, in rows, are bounds from two points of a concave curve, with 95 % "
        f"intervals, as {earlier} published them under differential privacy; no event was read."
    )


def _parse_row_counts(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < len(part) < 10 for part in parts):
        raise NoEarlierRelease(
            f"rows-per-unit={printable(text)} is not a list of whole numbers; write it as 5,10,20,50"
        )
    return sorted({int(part) for part in parts})
