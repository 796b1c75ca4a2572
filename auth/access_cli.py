"""`daylight admin application|project|researcher|notice`: who is let in, by which request, and what coordinators are told."""

from __future__ import annotations

import csv
import sys
from datetime import timedelta
from typing import Annotated

import typer

from auth.applications import NewApplication
from auth.lifecycle import ProjectChange
from auth.office import KINDS
from auth.projects import NewMember, NewProject
from auth.scopes import SCOPES, TIERS, parse_scopes
from auth.terminal import NO_REASON, InProject, Reason, mandate_for, print_table, registry_for, say
from auth.values import parse_day

application = typer.Typer(no_args_is_help=True, help="Reasoned requests until they are decided.")
project = typer.Typer(no_args_is_help=True, help="Access under one reasoned request.")
researcher = typer.Typer(no_args_is_help=True, help="People vetted for a project.")
notice = typer.Typer(no_args_is_help=True, help="What coordinators must be told within three working days.")

Named = Annotated[str, typer.Argument(metavar="REFERENCE", help="Reference of the reasoned request.")]


@application.command("submit")
def submit_application(
    reference: Annotated[str, typer.Option(help="Reference of the reasoned request.")],
    dsc: Annotated[str, typer.Option(help="Member state of the coordinator, e.g. IE.")],
    purpose: Annotated[str, typer.Option(help="What the access is for, in one line.")],
    from_: Annotated[str, typer.Option("--from", help="First day of access, YYYY-MM-DD, UTC.")],
    until: Annotated[str, typer.Option(help="Last day of access, YYYY-MM-DD, UTC.")],
    scopes: Annotated[str, typer.Option(help=f"Some of {', '.join(SCOPES)}; commas between.")],
    tier: Annotated[str, typer.Option(help=f"Limits: {' or '.join(TIERS)}.")] = TIERS[0],
    reason: Reason = NO_REASON,
) -> None:
    """Take in a reasoned request, which starts its clock. Prints its identifier."""
    mandate = mandate_for(reason)
    new = NewApplication(
        reference,
        dsc,
        purpose,
        parse_scopes(scopes),
        parse_day("from", from_),
        parse_day("until", until),
        tier,
    )
    with registry_for(mandate) as registry:
        made = registry.office.submit(new, mandate)
    say(f"{made.reference}: an amendment can be asked for until {made.amendment_by}.")
    print(made.id)


@application.command("list")
def list_applications() -> None:
    """Every request, those with the earliest clock first."""
    with registry_for(mandate_for()) as registry:
        found = registry.office.list_applications()
    print_table(
        ("reference", "DSC", "scopes", "first day", "last day", "state", "received", "amendment by"),
        (
            (
                a.reference, a.dsc, a.scopes, str(a.first_day), str(a.last_day), a.state, f"{a.received:%Y-%m-%d}",
                str(a.amendment_by),
            )
            for a in found
        ),
    )  # fmt: skip


@application.command("approve")
def approve_application(reference: Named, reason: Reason = NO_REASON) -> None:
    """Grant a request: its project is active from its first day on. Prints the project's identifier."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        made = registry.office.approve(reference, mandate)
    say(f"Project {made.reference} is active; add its researchers.")
    print(made.id)


@application.command("return")
def return_application(reference: Named, reason: Reason = NO_REASON) -> None:
    """Give a request back with a question."""
    _move_application(reference, "returned", reason)


@application.command("resubmit")
def resubmit_application(reference: Named, reason: Reason = NO_REASON) -> None:
    """Take a request in again that was given back."""
    _move_application(reference, "submitted", reason)


@application.command("reject")
def reject_application(reference: Named, reason: Reason = NO_REASON) -> None:
    """Refuse a request, for good."""
    _move_application(reference, "rejected", reason)


def _move_application(reference: str, state: str, reason: str) -> None:
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        found = registry.office.move_application(reference, state, mandate)
    say(f"{found.reference} is {found.state}.")


@project.command("create")
def create_project(
    reference: Annotated[str, typer.Option(help="Reference of the reasoned request.")],
    dsc: Annotated[str, typer.Option(help="The Digital Services Coordinator that sent it, e.g. IE.")],
    purpose: Annotated[str, typer.Option(help="What the access is for, in one line.")],
    until: Annotated[str, typer.Option(help="Last day of access, YYYY-MM-DD, UTC.")],
    scopes: Annotated[str, typer.Option(help=f"Some of {', '.join(SCOPES)}; commas between.")],
    from_: Annotated[str, typer.Option("--from", help="First day of access; today when not given.")] = "",
    tier: Annotated[str, typer.Option(help=f"Limits: {' or '.join(TIERS)}.")] = TIERS[0],
    reason: Reason = NO_REASON,
) -> None:
    """Open a project. Prints its identifier."""
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
        made = registry.create_project(new, mandate)
    say(f"Project {made.reference} is open from {new.first_day} to {new.last_day}, both included (UTC).")
    print(made.id)


@project.command("list")
def list_projects() -> None:
    """Every project, the earliest end first."""
    with registry_for(mandate_for()) as registry:
        found = registry.list_projects()
    print_table(
        ("reference", "id", "DSC", "scopes", "tier", "status", "first day", "last day"),
        (
            (
                one.reference,
                one.id,
                one.dsc,
                one.scopes,
                one.tier,
                one.status,
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
    email: Annotated[str, typer.Option(help="The person's own address: it names them here.")],
    institution: Annotated[str, typer.Option(help="The research organisation they belong to.")],
    reason: Reason = NO_REASON,
) -> None:
    """Make a vetted researcher a member of a project. Prints the researcher's identifier."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        joined, person = registry.add_researcher(NewMember(project, name, email, institution), mandate)
    say(f"{person.email} is a member of project {joined.reference}.")
    print(person.id)


@researcher.command("remove")
def remove_researcher(
    project: InProject,
    researcher: Annotated[str, typer.Option(help="A member's e-mail address, or res_...")],
    reason: Reason = NO_REASON,
) -> None:
    """Take a researcher out of a project; their tokens open nothing from now on."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        left = registry.office.end_membership(project, researcher, mandate)
    say(f"{researcher} is no member of {left.reference} any more.")


@project.command("change")
def change_project(
    reference: Named,
    scopes: Annotated[str, typer.Option(help="The scopes from now on.")] = "",
    tier: Annotated[str, typer.Option(help=f"Limits: {' or '.join(TIERS)}.")] = "",
    until: Annotated[str, typer.Option(help="Last day of access, YYYY-MM-DD, UTC.")] = "",
    reason: Reason = NO_REASON,
) -> None:
    """Change a project as an amended request says; every version is kept."""
    mandate = mandate_for(reason)
    change = ProjectChange(
        parse_scopes(scopes) if scopes else None, tier or None, parse_day("until", until) if until else None
    )
    with registry_for(mandate) as registry:
        changed = registry.office.change_project(reference, change, mandate)
    say(f"Project {changed.reference} is at version {changed.version}.")


@project.command("suspend")
def suspend_project(reference: Named, reason: Reason = NO_REASON) -> None:
    """Let nobody of a project in, from the next request on, until it is resumed."""
    _move_project(reference, "suspended", reason)


@project.command("resume")
def resume_project(reference: Named, reason: Reason = NO_REASON) -> None:
    """Let a suspended project go on."""
    _move_project(reference, "active", reason)


@project.command("end")
def end_project(reference: Named, reason: Reason = NO_REASON) -> None:
    """End a project, for good, from the next request on; the coordinator is to be told."""
    _move_project(reference, "ended", reason)


def _move_project(reference: str, status: str, reason: str) -> None:
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        found = registry.office.move_project(reference, status, mandate)
    say(f"Project {found.reference} is {found.status}.")


@project.command("versions")
def list_versions(reference: Named) -> None:
    """What a project was, from when on, by whom and why."""
    with registry_for(mandate_for()) as registry:
        found = registry.office.versions(reference)
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
def list_ending(days: Annotated[int, typer.Option(help="Within so many days.")] = 30) -> None:
    """Projects that end soon, the earliest first."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.office.ending(mandate.at, days)
    print_table(
        ("reference", "status", "last day"),
        ((p.reference, p.status, f"{p.not_after - timedelta(microseconds=1):%Y-%m-%d}") for p in found),
    )


@notice.command("list")
def list_notices() -> None:
    """Every notice, those to be sent first."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.office.notices(mandate)
    print_table(
        ("notice", "reference", "DSC", "what", "at", "due", "sent"),
        (
            (
                n.notice, n.reference, n.dsc, KINDS[n.kind], f"{n.at:%Y-%m-%d %H:%M}", str(n.due),
                f"{n.sent:%Y-%m-%d %H:%M}" if n.sent else "LATE" if n.late(mandate.at.date()) else "no",
            )
            for n in found
        ),
    )  # fmt: skip


@notice.command("export")
def export_notices() -> None:
    """Every notice as CSV on stdout, for the coordinators."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.office.notices(mandate)
    writer = csv.writer(sys.stdout)
    writer.writerow(("notice", "reference", "dsc", "kind", "at", "due", "sent"))
    for n in found:
        writer.writerow(
            (
                n.notice,
                n.reference,
                n.dsc,
                n.kind,
                n.at.isoformat(),
                n.due,
                n.sent.isoformat() if n.sent else "",
            )
        )


@notice.command("sent")
def mark_sent(
    identifier: Annotated[str, typer.Argument(metavar="NOTICE", help="ntc_...")], reason: Reason = NO_REASON
) -> None:
    """Put on record that the coordinator has been told."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        registry.office.sent(identifier, mandate)
    say(f"Notice {identifier} is sent.")
