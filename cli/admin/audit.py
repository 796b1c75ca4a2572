"""`daylight admin audit`: verify and export the audit log."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.terminal import mandate_for, registry_for

audit = typer.Typer(
    no_args_is_help=True, help="The audit log: verify that it was not changed, and export it."
)


@audit.command("verify")
def verify_audit() -> None:
    """Verify the audit log from its first event to its signed head."""
    with registry_for(mandate_for()) as registry:
        found = registry.audit.verify()
    print(
        f"The audit log is intact: {found.events} events, the last at {found.last:%Y-%m-%d %H:%M:%S} UTC, "
        f"head {found.head[:16]}, seen by this host up to event {found.witnessed}."
    )


@audit.command("export")
def export_audit(
    after: Annotated[int, typer.Option(help="Only events after this position.")] = 0,
) -> None:
    """Export every event as a line of JSON, and the signed head: enough to verify the chain without this program."""
    with registry_for(mandate_for()) as registry:
        for line in registry.audit.export(after):
            print(json.dumps(line, ensure_ascii=False))
