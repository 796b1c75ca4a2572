"""`daylight admin token`: issue, list, replace, narrow and revoke the tokens of researchers.

A new token is printed alone on stdout (`TOKEN=$(daylight admin token issue ...)`); messages go to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from auth.scopes import parse_scopes
from auth.tokens.issuing import DEFAULT_DAYS, SOON, NewToken, TokenLine, ending_tokens
from auth.tokens.rotation import DEFAULT_OVERLAP
from cli.terminal import InProject, Reason, mandate_for, print_message, print_table, registry_for

token = typer.Typer(no_args_is_help=True, help="The tokens with which researchers authenticate.")


@token.command("issue")
def issue_token(
    project: InProject,
    researcher: Annotated[str, typer.Option(help="A member's e-mail address, or res_...")],
    scopes: Annotated[str, typer.Option(help="Some of the project's scopes; all if not given.")] = "",
    days: Annotated[
        int, typer.Option(help="Lifetime in days. The token never outlives its project.")
    ] = DEFAULT_DAYS,
    label: Annotated[str, typer.Option(help="What the token is for, e.g. a machine's name.")] = "",
    idempotency_key: Annotated[
        str | None,
        typer.Option(help="A repeated command with the same key gives the same token, not a second one."),
    ] = None,
    *,
    reason: Reason,
) -> None:
    """Issue a token. Prints only the token, which is not stored and not shown again."""
    mandate = mandate_for(reason)
    wanted = parse_scopes(scopes) if scopes else frozenset[str]()
    new = NewToken(project, researcher, wanted, days, label, idempotency_key)
    with registry_for(mandate) as registry:
        issued = registry.tokens.issue(new, mandate)
    again = " again, because it was never used" if issued.again else ""
    print_message(
        f"Token {issued.token_id}, valid until {issued.expires:%Y-%m-%d %H:%M} UTC, is shown{again}; store it now."
    )
    print(issued.text)


@token.command("list")
def list_tokens(
    project: Annotated[str | None, typer.Option("--project", help="Only this project's tokens.")] = None,
) -> None:
    """List every token, the latest first, without its text."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.tokens.list(mandate.at, project)
    _print_tokens(found)


@token.command("ending")
def list_ending(days: Annotated[int, typer.Option(help="Within this number of days.")] = SOON) -> None:
    """List the active tokens that end soon and were not replaced, the earliest first."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.tokens.list(mandate.at)
    _print_tokens(ending_tokens(found, mandate.at, days))


@token.command("unclosed")
def list_unclosed() -> None:
    """List the open tokens whose chain of rotations has a token that was revoked: version 0.1.0 left them open."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.tokens.unclosed(mandate.at)
    if found:
        _print_tokens(found)
    else:
        print("none")


def _print_tokens(found: Iterable[TokenLine]) -> None:
    print_table(
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


@token.command("show")
def show_token(
    token: Annotated[str, typer.Argument(help="tok_..., the token itself, or - to read it from stdin.")],
) -> None:
    """Show everything about one token except its text."""
    mandate = mandate_for()
    with registry_for(mandate) as registry:
        found = registry.tokens.find(_token_argument(token), mandate.at)
    print_table(
        ("what", "is"),
        ((name.replace("_", " "), _display_value(value)) for name, value in asdict(found).items()),
    )


def _display_value(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "never" if value is None else str(value)


@token.command("revoke")
def revoke_token(
    token: Annotated[str, typer.Argument(help="tok_..., the token itself, or - to read it from stdin.")],
    *,
    reason: Reason,
) -> None:
    """Revoke a token, and those that it replaced or that replaced it. They are refused from the next request on."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        done = registry.tokens.revoke(_token_argument(token), mandate)
    print_message(f"Token {done.token_id} {'is' if done.was_open else 'was already'} revoked.")
    for token_id in done.closed:
        if token_id != done.token_id:
            print_message(f"Token {token_id} is revoked too: it belongs to the same chain of rotations.")


@token.command("rotate")
def rotate_token(
    token: Annotated[str, typer.Argument(help="tok_..., the token itself, or - to read it from stdin.")],
    overlap_hours: Annotated[
        float, typer.Option(help="Hours for which the old token stays valid.")
    ] = DEFAULT_OVERLAP / timedelta(hours=1),
    *,
    reason: Reason,
) -> None:
    """Replace a token. The old one stays valid for the overlap. Prints only the new token, which is not shown again."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        issued = registry.tokens.rotate(_token_argument(token), timedelta(hours=overlap_hours), mandate)
    print_message(f"Token {issued.token_id}, valid until {issued.expires:%Y-%m-%d %H:%M} UTC; store it now.")
    print(issued.text)


@token.command("narrow")
def narrow_token(
    token: Annotated[str, typer.Argument(help="tok_..., the token itself, or - to read it from stdin.")],
    scopes: Annotated[str, typer.Option(help="The scopes that the token keeps.")],
    *,
    reason: Reason,
) -> None:
    """Reduce the scopes of a token, and of those that it replaced and that are still valid. The texts stay the same."""
    mandate = mandate_for(reason)
    with registry_for(mandate) as registry:
        token_id = registry.tokens.narrow(_token_argument(token), parse_scopes(scopes), mandate)
    print_message(f"Token {token_id} has the scopes {scopes} from now on.")


@token.command("identify")
def identify_token(
    token: Annotated[str, typer.Argument(help="The text that was found, or - to read it from stdin.")],
) -> None:
    """Identify a token that was found somewhere, even if it has expired or was revoked. Prints its identifier."""
    with registry_for(mandate_for()) as registry:
        found = registry.tokens.identify(_token_argument(token), datetime.now(UTC))
    print_message(f"Token {found.token_id} of {found.researcher}, project {found.project}: {found.state}.")
    print(found.token_id)


def _token_argument(token: str) -> str:
    """The token of an argument. A dash means standard input, so that the token does not appear in the shell's history."""
    return sys.stdin.readline().strip() if token == "-" else token  # noqa: S105  a dash is no password
