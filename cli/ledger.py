"""The commands `daylight ledger`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from cli.budget import UNITS, format_rho, open_ledger
from cli.terminal import print_table
from datasets.pipeline.operations.recovery import close_stale_reservations, describe_left_open
from datasets.pipeline.operations.verification import ensure_ledger_complete, ensure_ledger_matches
from datasets.pipeline.output.publication import builder_lock, publish_ledger
from datasets.pipeline.settings import BuildSettings
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.signing import ReleaseSigner
from datasets.privacy.ledger import (
    UNIT_CLASSES,
    Caps,
    Entry,
    MonthlySpends,
    UnitClass,
    head,
    rho_by_month,
)
from datasets.privacy.zcdp import NANO
from datasets.release.format import layout

_out = Console()
_err = Console(stderr=True)


def ledger_commands(open_signer: Callable[[], ReleaseSigner]) -> typer.Typer:
    """The commands of `daylight ledger`; `open_signer` opens the key that signs the published ledger."""
    app = typer.Typer(no_args_is_help=True, help="Show and verify the privacy ledger.")

    @app.command()
    def publish(
        close_others: Annotated[
            bool,
            typer.Option(
                "--close-others",
                help="also close reservations of other private folders: their builds cannot be resumed after that",
            ),
        ] = False,
    ) -> None:
        """Close the reservations of interrupted builds and publish the ledger. Every build does this too."""
        settings = BuildSettings()
        with (
            open_ledger(settings) as ledger,
            builder_lock(settings.releases, ledger),
        ):
            context = BuildContext(settings.releases, settings.private, ledger, open_signer())
            ensure_ledger_complete(settings.releases, context.signer.verify, ledger)
            left = describe_left_open(close_stale_reservations(context, close_others=close_others))
            publish_ledger(settings.releases, ledger, context.signer)
        if left:
            _err.print(left, soft_wrap=True, markup=False, highlight=False)
        _out.print(f"published {layout.ledger_file(settings.releases)}")

    @app.command()
    def show() -> None:
        """Show every entry, and what each month spent on each class of units, alone and in the fullest twelve months."""
        _print_ledger(BuildSettings())

    @app.command()
    def verify() -> None:
        """Verify the chain, the caps, the published ledger, and that releases and entries match one another."""
        settings = BuildSettings()
        with open_ledger(settings) as ledger:
            number = ensure_ledger_matches(settings.releases, open_signer().verify, ledger)
            _out.print(f"{number} ledger entries verified; head {head(ledger.entries())}")

    return app


def _print_ledger(settings: BuildSettings) -> None:
    with open_ledger(settings) as ledger:
        entries = ledger.entries()
    print_table(
        ("seq", "time", "state", "of", "dataset", "month", "rho", "class", "role", "release", "reason"),
        (
            (
                str(entry.seq), entry.time[:19], entry.state, str(entry.of or ""), entry.dataset, entry.month,
                _spend_text(entry), entry.unit_class, entry.role, entry.release, entry.reason,
            )
            for entry in entries
        ),
    )  # fmt: skip
    for unit_class in UNIT_CLASSES:
        _print_months(entries, unit_class, settings.caps)


def _spend_text(entry: Entry) -> str:
    """The spend of an entry, with what it spends on events of organisations besides."""
    parts = [f"{nano / NANO:g}" for nano in (entry.nano_rho, entry.organisation_nano_rho) if nano]
    return " + ".join(parts)


def _print_months(entries: tuple[Entry, ...], unit_class: UnitClass, caps: Caps) -> None:
    cap, spends = caps.of(unit_class), MonthlySpends(entries)
    for month, rho in rho_by_month(entries, unit_class).items():
        if not rho:
            continue
        window = spends.fullest_window(unit_class, str(month))
        _out.print(
            f"{month}: {format_rho(rho)} of {format_rho(cap.month)} rho spent on {UNITS[unit_class]}, over all datasets; "
            f"{window.nano_rho / NANO:g} of {format_rho(cap.year)} in {window.first} to {window.last}, the "
            "fullest twelve months with it",
            soft_wrap=True,
        )
