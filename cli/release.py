"""The commands `daylight release`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.audit import audit_release
from cli.bounds import show_choices
from cli.progress import progress
from datasets.catalogue import DATASETS, find_dataset
from datasets.period import Month
from datasets.pipeline.operations.rollback import roll_back
from datasets.pipeline.operations.verification import (
    ensure_releases,
)
from datasets.pipeline.operations.withdrawal import withdraw
from datasets.pipeline.planning.budget import budget_of
from datasets.pipeline.planning.preview import Promise, promises
from datasets.pipeline.run import build_release
from datasets.pipeline.settings import BuildSettings
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner
from datasets.privacy.zcdp import epsilon, power_of_best_test
from datasets.release.format import layout
from datasets.release.format.manifest import parse_manifest

DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="moderation, ads or recommendations")]
MonthText = Annotated[str, typer.Option("--month", help="the month, YYYY-MM")]

_out = Console()
_err = Console(stderr=True)


def release_commands(seal: Callable[[], ReleaseSigner]) -> typer.Typer:
    """The commands of `daylight release`; `seal` opens what releases are signed and verified with."""
    app = typer.Typer(no_args_is_help=True, help="Plan, build, list and verify releases.")

    @app.command()
    def plan(
        dataset: DatasetName,
        month: MonthText = "2026-06",
        depth: Annotated[int, typer.Option(help="show cuboids of up to so many dimensions")] = 3,
        earlier: Annotated[
            str, typer.Option("--from", help="an earlier release: weigh noise against bias for other bounds")
        ] = "",
        rows_per_unit: Annotated[
            str, typer.Option(help="with --from: how many rows of a person to count, such as 5,10,20,50")
        ] = "5,10,20,50",
    ) -> None:
        """Promise the standard error of each cuboid. It touches no data and is free.

        With --from it says instead what counting more or fewer rows of a person would mean, from what that release published.
        """
        if earlier:
            show_choices(find_dataset(dataset), Month.parse(month), earlier, rows_per_unit, seal().verify)
        else:
            _show_plan(dataset, Month.parse(month), depth)

    @app.command()
    def build(
        dataset: DatasetName,
        month: MonthText,
        events: Annotated[Path, typer.Option(help="folder of raw events, as `daylight events` writes it")],
        correction: Annotated[
            str, typer.Option(help="why a released month is released again: a new spend, the next revision")
        ] = "",
        afresh: Annotated[
            bool,
            typer.Option(
                "--afresh", help="give up a build of this month that was cut off; its spend stays counted"
            ),
        ] = False,
    ) -> None:
        """Build, sign and publish the release of a month, and write its privacy spend to the ledger."""
        declared, settings = find_dataset(dataset), BuildSettings()
        with progress() as (said, passed), closing(LedgerStore(settings.ledger, settings.caps)) as ledger:
            context = BuildContext(
                settings.releases, settings.private, ledger, seal(), on_step=said, on_progress=passed
            )
            folder = build_release(
                declared, Month.parse(month), events, context, correction=correction, afresh=afresh
            )
        _out.print(f"published {dataset} {folder.name}: {folder}")
        _err.print(
            f"rows that did not fit, if any: {context.quarantine_folder(declared, Month.parse(month))} (private)"
        )

    @app.command(name="withdraw")
    def withdraw_(
        dataset: DatasetName,
        release: Annotated[str, typer.Argument(metavar="RELEASE", help="its name, such as 2026-06.1")],
        reason: Annotated[str, typer.Option(help="what is wrong with it, as researchers will read it")],
    ) -> None:
        """Take back a release: readers answer 410 with the reason. Its files and its spend stay on record."""
        settings = BuildSettings()
        declared, now = find_dataset(dataset), datetime.now(UTC)
        with closing(LedgerStore(settings.ledger, settings.caps)) as ledger:
            current = withdraw(settings.releases, ledger, declared, release, reason, seal(), now)
        successor = f"{current} is current now" if current else "its month has no release now"
        _out.print(f"withdrew {dataset} {release}; {successor}")

    @app.command()
    def rollback(
        dataset: DatasetName,
        month: Annotated[str, typer.Argument(metavar="MONTH", help="the month, YYYY-MM")],
        to: Annotated[str, typer.Option(help="the release to go back to, such as 2026-06.1")],
        reason: Annotated[str, typer.Option(help="why, as researchers will read it")],
    ) -> None:
        """Let an earlier release of a month be current again. The later one can still be asked by name; its spend stays."""
        settings = BuildSettings()
        with closing(LedgerStore(settings.ledger, settings.caps)) as ledger:
            context = BuildContext(settings.releases, settings.private, ledger, seal())
            before = roll_back(context, find_dataset(dataset), Month.parse(month), to, reason)
        _out.print(f"{dataset} {to} is current again, instead of {before or 'none'}")

    @app.command(name="list")
    def list_() -> None:
        """List the releases that readers are given."""
        _show_releases(BuildSettings().releases)

    @app.command()
    def verify() -> None:
        """Check every release and what stands beside it: signatures, hashes, pointers, errata, ledger entries."""
        settings = BuildSettings()
        with closing(LedgerStore(settings.ledger, settings.caps)) as ledger:
            number = ensure_releases(settings.releases, seal().verify, ledger)
        _out.print(f"{number} release(s) verified")

    app.command(name="audit")(audit_release)
    return app


def _show_plan(name: str, month: Month, depth: int) -> None:
    budget = budget_of(find_dataset(name), month)
    by_cuboid: dict[str, dict[str, Promise]] = {}
    for promise in promises(budget):
        if promise.dimensions <= depth:
            by_cuboid.setdefault(promise.cuboid, {})[promise.measure] = promise
    table = Table(title=f"{name} {month}: promised standard errors per cell", title_justify="left")
    table.add_column("cuboid", overflow="fold")
    table.add_column("cells", justify="right")
    for measure in budget.measures:
        table.add_column(measure, justify="right")
    for cuboid, found in by_cuboid.items():
        errors = [_standard_error_range(found[m]) if m in found else "" for m in budget.measures]
        table.add_row(cuboid, f"{next(iter(found.values())).cells:,}", *errors)
    _out.print(table)
    rho = budget.rho
    _out.print(
        f"{len(budget.cuboids)} cuboids, rho {float(rho):g} a month; epsilon {epsilon(rho, 1e-6):.2f} at delta 1e-6, "
        f"{epsilon(rho, 1e-9):.2f} at 1e-9; the best 5 % test has power {power_of_best_test(rho):.1%}."
    )


def _standard_error_range(promise: Promise) -> str:
    if promise.largest - promise.least < 0.005 * promise.least:
        return f"{promise.root_mean_square:,.1f}"
    return f"{promise.least:,.1f} to {promise.largest:,.1f}"


def _show_releases(root: Path) -> None:
    table = Table()
    for heading in ("dataset", "release", "state", "published", "rho", "correction"):
        table.add_column(heading)
    for dataset in DATASETS:
        for name in layout.release_names(root, dataset.name):
            folder = layout.release_folder(root, dataset.name, name)
            manifest = parse_manifest((folder / layout.MANIFEST).read_bytes())
            pointer = layout.pointer_file(root, dataset.name, manifest.month)
            current = pointer.is_file() and pointer.read_text().strip() == name
            withdrawn = layout.erratum_file(root, dataset.name, name).exists()
            table.add_row(
                dataset.name, name, "withdrawn" if withdrawn else "current" if current else "", manifest.published_at,
                f"{float(manifest.rho):g}", manifest.correction,
            )  # fmt: skip
    _out.print(table)
