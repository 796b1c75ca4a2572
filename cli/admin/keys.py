"""`daylight admin key`: list, rotate and revoke the keys that sign."""

from __future__ import annotations

from typing import Annotated

import typer

from auth.crypto.keys import Purpose
from cli.terminal import Reason, mandate_for, print_message, print_table, registry_for

key = typer.Typer(no_args_is_help=True, help="The keys that sign tokens, releases and the audit.")


@key.command("revoke")
def revoke_key(
    kid: Annotated[str, typer.Argument(help="The key, as in 'key list'.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit for ever, so name no person.")],
) -> None:
    """In an emergency: whatever this key signed is refused from the next request on. Prints its successor, if any."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        successor = registry.keys.revoke(kid, mandate)
    print_message(f"Key {kid} is revoked" + (f"; {successor} signs from now on." if successor else "."))
    print(successor or "")


@key.command("list")
def list_keys() -> None:
    """Every key by purpose: next, active, retired or revoked."""
    with registry_for(mandate_for()) as registry:
        found = registry.keys.list()
    print_table(
        ("kid", "purpose", "status", "made"),
        ((one.kid, one.purpose, one.status, f"{one.created:%Y-%m-%d %H:%M}") for one in found),
    )


@key.command("rotate")
def rotate_key(
    purpose: Annotated[Purpose, typer.Argument(help="Which key.")],
    *,
    reason: Reason,
) -> None:
    """Let the next key sign from now on; what the old one signed stays valid. Prints the new kid."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        kid = registry.keys.rotate(purpose, mandate)
    print_message(f"Key {kid} signs every {purpose} from now on.")
    print(kid)
