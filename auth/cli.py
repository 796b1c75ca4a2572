"""`daylight admin`: projects, researchers, tokens, the audit and the keys, from the command line.

What a script wants stands alone on stdout (`TOKEN=$(daylight admin token issue ...)`); all else on stderr.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auth.audit import Mandate
from auth.home import prepare
from auth.keys import Purpose
from auth.projects import NewMember, NewProject
from auth.registry import Registry, open_registry
from auth.scopes import SCOPES, TIERS, parse_scopes
from auth.settings import RegistrySettings
from auth.tokens import DEFAULT_DAYS, NewToken
from auth.values import ensure_text, parse_day

admin = typer.Typer(no_args_is_help=True, help="Who may ask: projects, researchers, tokens, audit, keys.")
project = typer.Typer(no_args_is_help=True, help="Access under one reasoned request.")
researcher = typer.Typer(no_args_is_help=True, help="People vetted for a project.")
token = typer.Typer(no_args_is_help=True, help="What a researcher shows to be let in.")
audit = typer.Typer(no_args_is_help=True, help="What was done, by whom, and that nobody changed it since.")
key = typer.Typer(no_args_is_help=True, help="The keys that sign tokens, releases and the audit.")
for name, group in (
    ("project", project),
    ("researcher", researcher),
    ("token", token),
    ("audit", audit),
    ("key", key),
):
    admin.add_typer(group, name=name)

_NO_REASON = "no reason given"
Reason = Annotated[str, typer.Option(help="Why; it stands in the audit for ever, so name no person.")]
InProject = Annotated[str, typer.Option("--project", help="Reference of the reasoned request, or prj_...")]


@project.command("create")
def create_project(
    reference: Annotated[str, typer.Option(help="Reference of the reasoned request.")],
    dsc: Annotated[str, typer.Option(help="The Digital Services Coordinator that sent it, e.g. IE.")],
    purpose: Annotated[str, typer.Option(help="What the access is for, in one line.")],
    until: Annotated[str, typer.Option(help="Last day of access, YYYY-MM-DD, UTC.")],
    scopes: Annotated[str, typer.Option(help=f"Some of {', '.join(SCOPES)}; commas between.")],
    from_: Annotated[str, typer.Option("--from", help="First day of access; today when not given.")] = "",
    tier: Annotated[str, typer.Option(help=f"Limits: {' or '.join(TIERS)}.")] = TIERS[0],
    reason: Reason = _NO_REASON,
) -> None:
    """Open a project. Prints its identifier."""
    mandate = _mandate(reason)
    new = NewProject(
        reference=reference,
        dsc=dsc,
        purpose=purpose,
        scopes=parse_scopes(scopes),
        first_day=parse_day("from", from_) if from_ else mandate.at.date(),
        last_day=parse_day("until", until),
        tier=tier,
    )
    with _registry(mandate) as registry:
        made = registry.create_project(new, mandate)
    _say(f"Project {made.reference} is open from {new.first_day} to {new.last_day}, both included (UTC).")
    print(made.id)


@project.command("list")
def list_projects() -> None:
    """Every project, the earliest end first."""
    with _registry(_mandate()) as registry:
        found = registry.list_projects()
    _print_table(
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
    reason: Reason = _NO_REASON,
) -> None:
    """Make a vetted researcher a member of a project. Prints the researcher's identifier."""
    mandate = _mandate(reason)
    with _registry(mandate) as registry:
        joined, person = registry.add_researcher(NewMember(project, name, email, institution), mandate)
    _say(f"{person.email} is a member of project {joined.reference}.")
    print(person.id)


@token.command("issue")
def issue_token(
    project: InProject,
    researcher: Annotated[str, typer.Option(help="A member's e-mail address, or res_...")],
    scopes: Annotated[str, typer.Option(help="Some of the project's scopes; all when not given.")] = "",
    days: Annotated[int, typer.Option(help="Lifetime; the project's end may cut it.")] = DEFAULT_DAYS,
    label: Annotated[str, typer.Option(help="What the token is for, e.g. a machine's name.")] = "",
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key asks for the same token, never for a second.")
    ] = None,
    reason: Reason = _NO_REASON,
) -> None:
    """Issue a token. Prints the token alone, this once: it is stored nowhere."""
    mandate = _mandate(reason)
    asked = parse_scopes(scopes) if scopes else frozenset[str]()
    new = NewToken(project, researcher, asked, days, label, idempotency_key)
    with _registry(mandate) as registry:
        issued = registry.issue_token(new, mandate)
    again = " again, since it was never used" if issued.again else ""
    _say(
        f"Token {issued.token_id}, valid until {issued.expires:%Y-%m-%d %H:%M} UTC, is shown{again}; keep it now."
    )
    print(issued.text)


@token.command("list")
def list_tokens(
    project: Annotated[str | None, typer.Option("--project", help="Only this project's tokens.")] = None,
) -> None:
    """Every token, the latest first, without its text."""
    mandate = _mandate()
    with _registry(mandate) as registry:
        found = registry.list_tokens(mandate.at, project)
    _print_table(
        ("token", "project", "researcher", "scopes", "label", "issued", "expires", "last used", "state"),
        (
            (
                one.token_id,
                one.project,
                one.researcher,
                one.scopes,
                one.label,
                f"{one.issued:%Y-%m-%d}",
                f"{one.expires:%Y-%m-%d}",
                f"{one.last_used:%Y-%m-%d %H:%M}" if one.last_used else "never",
                one.state,
            )
            for one in found
        ),
    )


@token.command("revoke")
def revoke_token(
    token: Annotated[str, typer.Argument(help="tok_..., the token itself, or - to read it from stdin.")],
    reason: Reason = _NO_REASON,
) -> None:
    """Revoke a token. It is refused from the very next request on."""
    mandate = _mandate(reason)
    named = sys.stdin.readline().strip() if token == "-" else token  # noqa: S105  a dash stands for the standard input
    with _registry(mandate) as registry:
        token_id, changed = registry.revoke_token(named, mandate)
    _say(f"Token {token_id} is revoked." if changed else f"Token {token_id} was revoked before.")


@audit.command("verify")
def verify_audit() -> None:
    """Follow the audit from its first event to its signed head."""
    with _registry(_mandate()) as registry:
        found = registry.verify_audit()
    print(
        f"The audit is whole: {found.events} events, the last at {found.last:%Y-%m-%d %H:%M:%S} UTC, "
        f"head {found.head[:16]}, seen by this host up to event {found.witnessed}."
    )


@key.command("list")
def list_keys() -> None:
    """Every key by purpose: next, active, retired or revoked."""
    with _registry(_mandate()) as registry:
        found = registry.list_keys()
    _print_table(
        ("kid", "purpose", "status", "made"),
        ((one.kid, one.purpose, one.status, f"{one.created:%Y-%m-%d %H:%M}") for one in found),
    )


@key.command("rotate")
def rotate_key(
    purpose: Annotated[Purpose, typer.Argument(help="Which key.")],
    reason: Reason = _NO_REASON,
) -> None:
    """Let the next key sign from now on; what the old one signed stays valid. Prints the new kid."""
    mandate = _mandate(reason)
    with _registry(mandate) as registry:
        kid = registry.rotate_key(purpose, mandate)
    _say(f"Key {kid} signs every {purpose} from now on.")
    print(kid)


def _mandate(reason: str = _NO_REASON) -> Mandate:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return Mandate(f"cli:{user}", ensure_text("reason", reason or _NO_REASON), datetime.now(UTC))


def opened_registry(mandate: Mandate | None = None) -> Registry:
    """The registry of the settings, made if this is its first use, which is said on stderr. Close it.

    Raises RegistryError where it cannot be made or reached.
    """
    settings = RegistrySettings()
    prepare(settings, mandate or _mandate(), _say)
    return open_registry(settings)


def recorder(registry: Registry) -> Callable[[str, str, str], None]:
    """Puts acts on releases on record, in the name of whoever runs the command."""
    return lambda act, subject, reason: registry.record_release_act(act, subject, _mandate(reason))


@contextmanager
def _registry(mandate: Mandate) -> Iterator[Registry]:
    with closing(opened_registry(mandate)) as registry:
        yield registry


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _print_table(titles: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> None:
    console = Console()
    table = Table(*titles)
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    if not console.is_terminal:  # a pipe has no width to fit
        console = Console(
            width=max(80, console.measure(table, options=console.options.update(width=1000)).maximum)
        )
    console.print(table)
