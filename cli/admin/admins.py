"""`daylight admin admins` and `daylight admin session`: the admins, and their sessions for administration over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from auth.admins.roles import ROLES
from auth.admins.sessions import DEFAULT_MINUTES
from cli.terminal import Reason, mandate_for, print_message, print_table, registry_for

admins = typer.Typer(no_args_is_help=True, help="The admins. Each has one role.")
session = typer.Typer(
    no_args_is_help=True, help="Sessions in which admins administer over HTTP, for a limited time."
)

Who = Annotated[str, typer.Argument(metavar="ADMIN", help="E-mail address, or adm_...")]


@admins.command("add")
def add_admin(
    name: Annotated[str, typer.Option(help="The person's name.")],
    email: Annotated[str, typer.Option(help="The person's own address. It identifies the person here.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")],
    *,
    reason: Reason,
) -> None:
    """Make a person an admin, also a former one. This is how the first owner is created. Prints the identifier."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        made = registry.admins.add(name, email, role, mandate)
    print_message(f"{made.email} is an admin with the role {made.role}; open a session for them.")
    print(made.id)


@admins.command("list")
def list_admins() -> None:
    """List all admins, current and former."""
    with registry_for(mandate_for()) as registry:
        found = registry.admins.list()
    print_table(
        ("admin", "name", "email", "role", "since", "ended"),
        (
            (a.id, a.name, a.email, a.role, f"{a.since:%Y-%m-%d}", f"{a.ended:%Y-%m-%d}" if a.ended else "no")
            for a in found
        ),
    )


@admins.command("end")
def end_admin(admin: Who, *, reason: Reason) -> None:
    """End an admin's rights, from the next request on."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        found = registry.admins.end(admin, mandate)
    print_message(f"{found.email} is no longer an admin.")


@admins.command("change")
def change_admin(
    admin: Who, role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")], *, reason: Reason
) -> None:
    """Give an admin another role, from the next request on."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        found = registry.admins.change_role(admin, role, mandate)
    print_message(f"{found.email} has the role {found.role}.")


@admins.command("pending")
def list_pending() -> None:
    """List the consents to actions that wait for another person."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.consents.list_pending(mandate.at)
    print_table(
        ("act", "subject", "by", "at", "reason"),
        ((c.act, c.subject, c.actor, f"{c.at:%Y-%m-%d %H:%M}", c.reason) for c in found),
    )


@session.command("open")
def open_session(
    admin: Who,
    minutes: Annotated[
        int, typer.Option(help="Minutes until the session ends, at most 720.")
    ] = DEFAULT_MINUTES,
    *,
    reason: Reason,
) -> None:
    """Open a session for an admin. Prints only the session's token, which is not shown again."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        issued = registry.sessions.open(admin, minutes, mandate)
    print_message(f"Session {issued.token_id} is open until {issued.expires:%Y-%m-%d %H:%M} UTC.")
    print(issued.text)


@session.command("list")
def list_sessions() -> None:
    """List the open sessions, the earliest end first."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.sessions.list(mandate.at)
    print_table(
        ("session", "admin", "email", "role", "opened", "ends"),
        (
            (s.session, s.admin, s.email, s.role, f"{s.issued:%Y-%m-%d %H:%M}", f"{s.expires:%Y-%m-%d %H:%M}")
            for s in found
        ),
    )


@session.command("close")
def close_session(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="tok_..., as 'session open' printed it.")],
    *,
    reason: Reason,
) -> None:
    """Close a session. Its token is refused from the next request on."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        registry.sessions.close(session, mandate)
    print_message(f"Session {session} is closed.")
