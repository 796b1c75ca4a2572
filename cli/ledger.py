"""The commands `daylight ledger`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from datasets.pipeline.operations.recovery import close_stale_reservations, describe_left_open
from datasets.pipeline.operations.verification import ensure_ledger_complete, ensure_ledger_matches
from datasets.pipeline.output.publication import builder_lock, publish_ledger
from datasets.pipeline.settings import BuildSettings
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner
from datasets.privacy.ledger import head, rho_by_month
from datasets.release.format import layout

_out = Console()
_err = Console(stderr=True)


def ledger_commands(seal: Callable[[], ReleaseSigner]) -> typer.Typer:
    """The commands of `daylight ledger`; `seal` opens what it is signed with when it is published."""
    app = typer.Typer(no_args_is_help=True, help="Show and verify the privacy ledger.")

    @app.command()
    def publish(
        close_others: Annotated[
            bool,
            typer.Option(
                "--close-others",
                help="close what other private folders have reserved too: no build there can be gone on with then",
            ),
        ] = False,
    ) -> None:
        """Close what builds that died have left open, and publish the ledger as it stands; each build does both."""
        settings = BuildSettings()
        with (
            closing(LedgerStore(settings.ledger, settings.caps)) as ledger,
            builder_lock(settings.releases, ledger),
        ):
            context = BuildContext(settings.releases, settings.private, ledger, seal())
            ensure_ledger_complete(settings.releases, context.signer.verify, ledger)
            left = describe_left_open(close_stale_reservations(context, close_others=close_others))
            publish_ledger(settings.releases, ledger, context.signer)
        if left:
            _err.print(left, soft_wrap=True, markup=False, highlight=False)
        _out.print(f"published {layout.ledger_file(settings.releases)}")

    @app.command()
    def show() -> None:
        """Show every entry, and what each month has cost a person."""
        _show_ledger(BuildSettings())

    @app.command()
    def verify() -> None:
        """Check the chain, the caps, what was published of it, and every release against it, in both directions."""
        settings = BuildSettings()
        with closing(LedgerStore(settings.ledger, settings.caps)) as ledger:
            number = ensure_ledger_matches(settings.releases, seal().verify, ledger)
            _out.print(f"{number} ledger entries verified; head {head(ledger.entries())}")

    return app


def _show_ledger(settings: BuildSettings) -> None:
    with closing(LedgerStore(settings.ledger, settings.caps)) as ledger:
        entries = ledger.entries()
    table = Table()
    for heading in ("seq", "time", "state", "of", "dataset", "month", "rho", "release", "reason"):
        table.add_column(heading)
    for entry in entries:
        table.add_row(
            str(entry.seq), entry.time[:19], entry.state, str(entry.of or ""), entry.dataset, entry.month,
            f"{entry.nano_rho / 1e9:g}" if entry.nano_rho else "", entry.release, entry.reason,
        )  # fmt: skip
    _out.print(table)
    for month, rho in rho_by_month(entries).items():
        _out.print(
            f"{month}: {float(rho):g} of {float(settings.caps.month):g} rho spent on each person, over all datasets"
        )
