"""The commands `daylight release`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.audit import audit_release
from cli.bounds import print_bound_choices
from cli.budget import describe_outlook, describe_rho, entries_so_far, format_rho, open_ledger
from cli.dataset_name import DatasetName
from cli.progress import progress
from datasets.catalogue import DATASETS, find_dataset
from datasets.period import Month
from datasets.pipeline.operations.rollback import roll_back
from datasets.pipeline.operations.verification import ensure_releases
from datasets.pipeline.operations.withdrawal import withdraw
from datasets.pipeline.planning.budget import Budget, plan_budget
from datasets.pipeline.planning.preview import PromisedAccuracy, promised_accuracies
from datasets.pipeline.run import build_release
from datasets.pipeline.settings import BuildSettings
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.signing import ReleaseSigner
from datasets.privacy.ledger import outlook
from datasets.release.format import layout
from datasets.release.format.manifest import parse_manifest

MonthText = Annotated[str, typer.Option("--month", help="the month, YYYY-MM")]

_out = Console()
_err = Console(stderr=True)


def release_commands(open_signer: Callable[[], ReleaseSigner]) -> typer.Typer:
    """The commands of `daylight release`; `open_signer` opens the key that signs and verifies releases."""
    app = typer.Typer(no_args_is_help=True, help="Plan, build, list and verify releases.")

    @app.command()
    def plan(
        dataset: DatasetName,
        month: MonthText = "2026-06",
        depth: Annotated[int, typer.Option(help="show cuboids of at most this many dimensions")] = 3,
        earlier: Annotated[
            str,
            typer.Option(
                "--from", help="an earlier release, to compare noise and bias for several contribution bounds"
            ),
        ] = "",
        rows_per_unit: Annotated[
            str,
            typer.Option(
                help="with --from: the contribution bounds to compare, in rows per person, such as 5,10,20,50"
            ),
        ] = "5,10,20,50",
    ) -> None:
        """Show the promised standard error of each cuboid, what a build would spend, and what would be left of the caps.

        It reads no data and spends no budget.

        With --from it shows instead the noise and the bias of several contribution bounds, from what that release published.
        """
        if earlier:
            print_bound_choices(
                find_dataset(dataset), Month.parse(month), earlier, rows_per_unit, open_signer().verify
            )
        else:
            _print_plan(dataset, Month.parse(month), depth)

    @app.command()
    def build(
        dataset: DatasetName,
        month: MonthText,
        events: Annotated[Path, typer.Option(help="folder of raw events, as `daylight events` writes it")],
        correction: Annotated[
            str,
            typer.Option(
                help="why a released month is released again; it spends budget again and is the next revision"
            ),
        ] = "",
        afresh: Annotated[
            bool,
            typer.Option(
                "--afresh", help="give up an interrupted build of this month; its spend stays counted"
            ),
        ] = False,
        accept_misfits: Annotated[
            str | None,
            typer.Option(
                metavar="REASON",
                help="why more rows may be left out than declared; it stays in the audit log, so name no person",
            ),
        ] = None,
    ) -> None:
        """Build, sign and publish the release of a month, and write its spend to the privacy ledger."""
        declared, settings = find_dataset(dataset), BuildSettings()
        with (
            progress() as (on_step, on_progress),
            open_ledger(settings) as ledger,
        ):
            context = BuildContext(
                settings.releases,
                settings.private,
                ledger,
                open_signer(),
                on_step=on_step,
                on_progress=on_progress,
            )
            folder = build_release(
                declared, Month.parse(month), events, context,
                correction=correction, afresh=afresh, accept_misfits=accept_misfits,
            )  # fmt: skip
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
        """Withdraw a release: the API answers 410 with the reason. Its files and its spend stay on record."""
        settings = BuildSettings()
        declared, now = find_dataset(dataset), datetime.now(UTC)
        with open_ledger(settings) as ledger:
            current = withdraw(settings.releases, ledger, declared, release, reason, open_signer(), now)
        successor = f"{current} is current now" if current else "its month has no release now"
        _out.print(f"withdrew {dataset} {release}; {successor}")

    @app.command()
    def rollback(
        dataset: DatasetName,
        month: Annotated[str, typer.Argument(metavar="MONTH", help="the month, YYYY-MM")],
        to: Annotated[str, typer.Option(help="the release to go back to, such as 2026-06.1")],
        reason: Annotated[str, typer.Option(help="why, as researchers will read it")],
    ) -> None:
        """Make an earlier release of a month the current one. The later one can still be queried by name; its spend stays."""
        settings = BuildSettings()
        with open_ledger(settings) as ledger:
            context = BuildContext(settings.releases, settings.private, ledger, open_signer())
            before = roll_back(context, find_dataset(dataset), Month.parse(month), to, reason)
        _out.print(f"{dataset} {to} is current again, instead of {before or 'none'}")

    @app.command(name="list")
    def list_() -> None:
        """List all published releases."""
        _print_releases(BuildSettings().releases)

    @app.command()
    def verify() -> None:
        """Verify every release: its signature, hashes, pointer, erratum and ledger entry."""
        settings = BuildSettings()
        with open_ledger(settings) as ledger:
            number = ensure_releases(settings.releases, open_signer().verify, ledger)
        _out.print(f"{number} release(s) verified")

    app.command(name="audit")(audit_release)
    return app


def _print_plan(name: str, month: Month, depth: int) -> None:
    budget = plan_budget(find_dataset(name), month)
    by_cuboid: dict[str, dict[str, PromisedAccuracy]] = {}
    for promise in promised_accuracies(budget):
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
    _out.print(f"{len(budget.cuboids)} cuboids. A month: {describe_rho(budget.rho)}.", soft_wrap=True)
    _out.print(f"Twelve months: {describe_rho(12 * budget.rho)}.", soft_wrap=True)
    _print_outlook(budget)


def _print_outlook(budget: Budget) -> None:
    settings, spend = BuildSettings(), budget.spend()
    entries = entries_so_far(settings)
    released = any(
        entry.state == "committed" and (entry.dataset, entry.month) == (spend.dataset, spend.month)
        for entry in entries
    )
    name = f"A correction of {spend.month}" if released else f"The release of {spend.month}"
    for found in outlook(entries, spend, settings.caps):
        _out.print(describe_outlook(name, found), soft_wrap=True)


def _standard_error_range(promise: PromisedAccuracy) -> str:
    if promise.largest - promise.least < 0.005 * promise.least:
        return f"{promise.root_mean_square:,.1f}"
    return f"{promise.least:,.1f} to {promise.largest:,.1f}"


def _print_releases(root: Path) -> None:
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
                format_rho(manifest.rho), manifest.correction,
            )  # fmt: skip
    _out.print(table)
