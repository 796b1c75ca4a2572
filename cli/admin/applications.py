"""`daylight admin application`: handle reasoned requests until they are approved or rejected."""

from __future__ import annotations

from typing import Annotated

import typer

from auth.projects import NewProject
from auth.scopes import SCOPES, TIERS, parse_scopes
from auth.validation import parse_day
from auth.vetting.deadlines import MEDIATION_STEPS
from cli.terminal import Reason, Reference, mandate_for, print_message, print_table, registry_for

application = typer.Typer(
    no_args_is_help=True, help="Reasoned requests, until they are approved or rejected."
)


@application.command("submit")
def submit_application(
    reference: Annotated[str, typer.Option(help="Reference of the reasoned request.")],
    dsc: Annotated[str, typer.Option(help="Member state of the coordinator, e.g. IE.")],
    purpose: Annotated[str, typer.Option(help="What the access is for, in one line.")],
    from_: Annotated[str, typer.Option("--from", help="First day of access, YYYY-MM-DD, UTC.")],
    until: Annotated[str, typer.Option(help="Last day of access, YYYY-MM-DD, UTC.")],
    scopes: Annotated[str, typer.Option(help=f"One or more of {', '.join(SCOPES)}, separated by commas.")],
    tier: Annotated[str, typer.Option(help=f"Tier of rate limits: {' or '.join(TIERS)}.")] = TIERS[0],
    *,
    reason: Reason,
) -> None:
    """Register a reasoned request, which starts its deadline. Prints its identifier."""
    mandate = mandate_for(reason)
    new = NewProject(
        reference,
        dsc,
        purpose,
        parse_scopes(scopes),
        parse_day("from", from_),
        parse_day("until", until),
        tier,
    )
    with registry_for(mandate) as registry:
        made = registry.applications.submit(new, mandate)
    print_message(f"{made.reference}: an amendment can be requested until {made.amendment_by}.")
    print(made.id)


@application.command("list")
def list_applications() -> None:
    """List every request, ordered by the last day to ask for an amendment."""
    with registry_for(mandate_for()) as registry:
        found = registry.applications.list()
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
def approve_application(reference: Reference, *, reason: Reason) -> None:
    """Approve a request and create its project, which is active from its first day. Prints the project's identifier."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        made = registry.applications.approve(reference, mandate)
    if made is None:
        print_message(f"{reference} waits for another person, who must approve it with the same command.")
        return
    print_message(f"Project {made.reference} is active; add its researchers.")
    print(made.id)


@application.command("return")
def return_application(reference: Reference, *, reason: Reason) -> None:
    """Return a request to the coordinator with a question, given as the reason."""
    _set_state(reference, "returned", reason)


@application.command("resubmit")
def resubmit_application(reference: Reference, *, reason: Reason) -> None:
    """Accept a returned request again."""
    _set_state(reference, "submitted", reason)


@application.command("reject")
def reject_application(reference: Reference, *, reason: Reason) -> None:
    """Reject a request. This is final."""
    _set_state(reference, "rejected", reason)


@application.command("mediate")
def mediate_application(
    reference: Reference,
    step: Annotated[
        str, typer.Argument(metavar="STEP", help=f"What happened: {', '.join(MEDIATION_STEPS)}.")
    ],
    *,
    reason: Reason,
) -> None:
    """Record a step of a mediation, which starts and stops its deadlines."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        found = registry.applications.record_mediation_step(reference, step, mandate)
    print_message(f"{found.reference}: mediation {step}.")


@application.command("clocks")
def list_clocks() -> None:
    """List what each side must do by when, running deadlines first."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.applications.list_deadlines()
    today = mandate.at.date()
    print_table(
        ("reference", "DSC", "clock", "until then", "due", "done"),
        (
            (
                c.reference, c.dsc, c.kind, c.whose, str(c.due),
                f"{c.ended:%Y-%m-%d}" if c.ended else "LATE" if c.is_late(today) else "no",
            )
            for c in found
        ),
    )  # fmt: skip


def _set_state(reference: str, state: str, reason: str) -> None:
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        found = registry.applications.set_state(reference, state, mandate)
    print_message(f"{found.reference} is {found.state}.")
