"""`daylight admin project` and `daylight admin researcher`: projects, each under one reasoned request, and their members."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from auth.projects import NewMember, NewProject, state_of
from auth.scopes import SCOPES, TIERS, parse_scopes
from auth.validation import parse_day
from auth.vetting.lifecycle import ENDING_SOON_DAYS, ProjectChange
from cli.terminal import InProject, Reason, Reference, mandate_for, print_message, print_table, registry_for

project = typer.Typer(no_args_is_help=True, help="Projects. Each has access under one reasoned request.")
researcher = typer.Typer(no_args_is_help=True, help="The researchers who are vetted for a project.")


@project.command("create")
def create_project(
    reference: Annotated[str, typer.Option(help="Reference of the reasoned request.")],
    dsc: Annotated[str, typer.Option(help="The Digital Services Coordinator that sent it, e.g. IE.")],
    purpose: Annotated[str, typer.Option(help="What the access is for, in one line.")],
    until: Annotated[str, typer.Option(help="Last day of access, YYYY-MM-DD, UTC.")],
    scopes: Annotated[str, typer.Option(help=f"One or more of {', '.join(SCOPES)}, separated by commas.")],
    from_: Annotated[str, typer.Option("--from", help="First day of access; today if not given.")] = "",
    tier: Annotated[str, typer.Option(help=f"Tier of rate limits: {' or '.join(TIERS)}.")] = TIERS[0],
    *,
    reason: Reason,
) -> None:
    """Create a project. Prints its identifier."""
    mandate = mandate_for(reason)
    new = NewProject(
        reference=reference,
        dsc=dsc,
        purpose=purpose,
        scopes=parse_scopes(scopes),
        first_day=parse_day("from", from_) if from_ else mandate.at.date(),
        last_day=parse_day("until", until),
        tier=tier,
    )
    with registry_for(mandate) as registry:
        made = registry.projects.create(new, mandate)
    print_message(
        f"Project {made.reference} is open from {new.first_day} to {new.last_day}, both included (UTC)."
    )
    print(made.id)


@project.command("list")
def list_projects() -> None:
    """List every project, ordered by its last day."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.projects.list()
    print_table(
        ("reference", "id", "DSC", "scopes", "tier", "status", "first day", "last day"),
        (
            (
                one.reference,
                one.id,
                one.dsc,
                one.scopes,
                one.tier,
                state_of(one, mandate.at),
                f"{one.not_before:%Y-%m-%d}",
                f"{one.not_after - timedelta(microseconds=1):%Y-%m-%d}",
            )
            for one in found
        ),
    )


@researcher.command("add")
def add_researcher(
    project: InProject,
    name: Annotated[str, typer.Option(help="The person's name.")],
    email: Annotated[str, typer.Option(help="The person's own address. It identifies the person here.")],
    institution: Annotated[str, typer.Option(help="The research organisation they belong to.")],
    *,
    reason: Reason,
) -> None:
    """Add a vetted researcher to a project. Prints the researcher's identifier."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        joined, person = registry.projects.add_member(NewMember(project, name, email, institution), mandate)
    print_message(f"{person.email} is a member of project {joined.reference}.")
    print(person.id)


@researcher.command("remove")
def remove_researcher(
    project: InProject,
    researcher: Annotated[str, typer.Option(help="A member's e-mail address, or res_...")],
    *,
    reason: Reason,
) -> None:
    """Remove a researcher from a project. Their tokens are refused from the next request on."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        left = registry.projects.end_membership(project, researcher, mandate)
    print_message(f"{researcher} is no longer a member of {left.reference}.")


@project.command("change")
def change_project(
    reference: Reference,
    scopes: Annotated[str, typer.Option(help="The new scopes, separated by commas.")] = "",
    tier: Annotated[str, typer.Option(help=f"Tier of rate limits: {' or '.join(TIERS)}.")] = "",
    until: Annotated[str, typer.Option(help="Last day of access, YYYY-MM-DD, UTC.")] = "",
    *,
    reason: Reason,
) -> None:
    """Change a project as its amended request says. Every version is kept."""
    mandate = mandate_for(reason)
    change = ProjectChange(
        parse_scopes(scopes) if scopes else None, tier or None, parse_day("until", until) if until else None
    )
    with registry_for(mandate) as registry:
        changed = registry.projects.change(reference, change, mandate)
    if changed is None:
        print_message(f"The change of {reference} waits for another person, who must run the same command.")
        return
    print_message(f"Project {changed.reference} is at version {changed.version}.")


@project.command("suspend")
def suspend_project(reference: Reference, *, reason: Reason) -> None:
    """Refuse all requests of a project until it is resumed."""
    _set_status(reference, "suspended", reason)


@project.command("resume")
def resume_project(reference: Reference, *, reason: Reason) -> None:
    """Resume a suspended project."""
    _set_status(reference, "active", reason)


@project.command("end")
def end_project(reference: Reference, *, reason: Reason) -> None:
    """End a project from the next request on. This is final. A notice to the coordinator becomes due."""
    _set_status(reference, "ended", reason)


def _set_status(reference: str, status: str, reason: str) -> None:
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        found = registry.projects.set_status(reference, status, mandate)
    print_message(f"Project {found.reference} is {found.status}.")


@project.command("versions")
def list_versions(reference: Reference) -> None:
    """List the versions of a project: since when, by whom and why."""
    with registry_for(mandate_for()) as registry:
        found = registry.projects.list_versions(reference)
    print_table(
        ("version", "from", "status", "scopes", "tier", "last day", "by", "reason"),
        (
            (
                str(v.version), f"{v.at:%Y-%m-%d %H:%M}", v.status, v.scopes, v.tier,
                f"{v.not_after - timedelta(microseconds=1):%Y-%m-%d}", v.actor, v.reason,
            )
            for v in found
        ),
    )  # fmt: skip


@project.command("ending")
def list_ending(
    days: Annotated[int, typer.Option(help="Within this number of days.")] = ENDING_SOON_DAYS,
) -> None:
    """List the projects that end soon, the earliest first."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.projects.list_ending(mandate.at, days)
    print_table(
        ("reference", "status", "last day"),
        ((p.reference, p.status, f"{p.not_after - timedelta(microseconds=1):%Y-%m-%d}") for p in found),
    )
