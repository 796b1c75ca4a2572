"""`daylight admin notice`: the notices that coordinators must get."""

from __future__ import annotations

import csv
import sys
from typing import Annotated

import typer

from auth.vetting.notices import NOTICE_TEXTS
from cli.terminal import Reason, escape_formula, mandate_for, print_message, print_table, registry_for

notice = typer.Typer(
    no_args_is_help=True, help="Notices that coordinators must get within three working days."
)


@notice.command("list")
def list_notices() -> None:
    """List every notice, those that are not sent yet first."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        registry.notices.add_for_ended_projects(mandate.at)
        found = registry.notices.list()
    print_table(
        ("notice", "reference", "DSC", "what", "at", "due", "sent"),
        (
            (
                n.notice, n.reference, n.dsc, NOTICE_TEXTS[n.kind], f"{n.at:%Y-%m-%d %H:%M}", str(n.due),
                f"{n.sent:%Y-%m-%d %H:%M}" if n.sent else "LATE" if n.is_late(mandate.at.date()) else "no",
            )
            for n in found
        ),
    )  # fmt: skip


@notice.command("export")
def export_notices() -> None:
    """Export every notice as CSV on stdout, for the coordinators."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        registry.notices.add_for_ended_projects(mandate.at)
        found = registry.notices.list()
    writer = csv.writer(sys.stdout)
    writer.writerow(("notice", "reference", "dsc", "kind", "at", "due", "sent"))
    for n in found:
        writer.writerow(
            (
                n.notice,
                escape_formula(n.reference),
                escape_formula(n.dsc),
                n.kind,
                n.at.isoformat(),
                n.due,
                n.sent.isoformat() if n.sent else "",
            )
        )


@notice.command("sent")
def record_sent(
    identifier: Annotated[str, typer.Argument(metavar="NOTICE", help="ntc_...")], *, reason: Reason
) -> None:
    """Record that a notice was sent to the coordinator."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        registry.notices.record_sent(identifier, mandate)
    print_message(f"Notice {identifier} is recorded as sent.")
