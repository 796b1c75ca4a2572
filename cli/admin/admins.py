"""`daylight admin admins|session`: who administers, and letting them in over HTTP. Whoever holds this host holds the keys."""

from __future__ import annotations

from typing import Annotated

import typer

from auth.admins.roles import ROLES
from auth.admins.sessions import DEFAULT_MINUTES
from cli.terminal import Reason, mandate_for, print_message, print_table, registry_for

admins = typer.Typer(no_args_is_help=True, help="People who administer, each under one role.")
session = typer.Typer(no_args_is_help=True, help="Letting admins in over HTTP for a short while.")

Who = Annotated[str, typer.Argument(metavar="ADMIN", help="E-mail address, or adm_...")]


@admins.command("add")
def add_admin(
    name: Annotated[str, typer.Option(help="The person's name.")],
    email: Annotated[str, typer.Option(help="The person's own address: it names them here.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")],
    *,
    reason: Reason,
) -> None:
    """Let somebody administer, or again; the first owner begins here, and no password is ever made. Prints the identifier."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        made = registry.admins.add(name, email, role, mandate)
    print_message(f"{made.email} administers as {made.role}; open a session for them.")
    print(made.id)


@admins.command("list")
def list_admins() -> None:
    """Everybody who administers or did."""
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
    """Let somebody administer no more, from the next request on."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        found = registry.admins.end(admin, mandate)
    print_message(f"{found.email} is an admin no more.")


@admins.command("change")
def change_admin(
    admin: Who, role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")], *, reason: Reason
) -> None:
    """Give an admin another role, from the next request on."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        found = registry.admins.change_role(admin, role, mandate)
    print_message(f"{found.email} administers as {found.role}.")


@admins.command("pending")
def list_pending() -> None:
    """What one person has agreed to and waits for another."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.approvals.list_pending(mandate.at)
    print_table(
        ("act", "subject", "by", "at", "reason"),
        ((c.act, c.subject, c.actor, f"{c.at:%Y-%m-%d %H:%M}", c.reason) for c in found),
    )


@session.command("open")
def open_session(
    admin: Who,
    minutes: Annotated[int, typer.Option(help="How long it lasts, at most 720.")] = DEFAULT_MINUTES,
    *,
    reason: Reason,
) -> None:
    """Let an admin in over HTTP for a while. Prints the session's token alone, this once."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        issued = registry.sessions.open(admin, minutes, mandate)
    print_message(f"Session {issued.token_id}, open until {issued.expires:%Y-%m-%d %H:%M} UTC.")
    print(issued.text)


@session.command("list")
def list_sessions() -> None:
    """The sessions that are open, the one that ends first first."""
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
    session: Annotated[str, typer.Argument(metavar="SESSION", help="tok_..., as 'session open' said.")],
    *,
    reason: Reason,
) -> None:
    """Close a session: its token opens nothing from the next request on."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        registry.sessions.close(session, mandate)
    print_message(f"Session {session} is closed.")
