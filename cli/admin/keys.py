"""`daylight admin key`: list, rotate and revoke the keys that sign."""

from __future__ import annotations

from typing import Annotated

import typer

from auth.crypto.keys import Purpose
from cli.terminal import Reason, mandate_for, print_message, print_table, registry_for

key = typer.Typer(no_args_is_help=True, help="The keys that sign tokens, releases and the audit.")


@key.command("revoke")
def revoke_key(
    kid: Annotated[str, typer.Argument(help="The key's kid, as in 'key list'.")],
    *,
    reason: Reason,
) -> None:
    """Revoke a key in an emergency: what it signed is refused from the next request on. Prints its successor, if any."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        successor = registry.keys.revoke(kid, mandate)
    print_message(f"Key {kid} is revoked" + (f"; {successor} signs from now on." if successor else "."))
    print(successor or "")


@key.command("list")
def list_keys() -> None:
    """List every key by purpose, with its status: next, active, retired or revoked."""
    with registry_for(mandate_for()) as registry:
        found = registry.keys.list()
    print_table(
        ("kid", "purpose", "status", "made"),
        ((one.kid, one.purpose, one.status, f"{one.created:%Y-%m-%d %H:%M}") for one in found),
    )


@key.command("rotate")
def rotate_key(
    purpose: Annotated[Purpose, typer.Argument(help="Which key to rotate.")],
    *,
    reason: Reason,
) -> None:
    """Make the next key the active one. What the old key signed stays valid. Prints the new kid."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        kid = registry.keys.rotate(purpose, mandate)
    print_message(f"Key {kid} signs every {purpose} from now on.")
    print(kid)
