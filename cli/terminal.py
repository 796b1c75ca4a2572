"""How the command line opens the registry and speaks: who acts and why, sentences on stderr, tables on stdout."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auth.audit.log import Mandate
from auth.errors import NotAllowed
from auth.registry import Registry, open_registry
from auth.settings import RegistrySettings
from auth.setup import initialise_registry
from auth.validation import LONGEST_TEXT, ensure_text

WITHDRAWN = "release.withdrawn"
NO_REASON = "no reason given"
Reason = Annotated[str, typer.Option(help="Why; it stands in the audit for ever, so name no person.")]
Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="Reference of the reasoned request.")]
InProject = Annotated[str, typer.Option("--project", help="Reference of the reasoned request, or prj_...")]


def mandate_for(reason: str = NO_REASON) -> Mandate:
    """On whose behalf a command acts: the user of this host, as the system knows them and not as the environment says."""
    number = os.getuid()
    try:
        user = pwd.getpwuid(number).pw_name
    except KeyError:
        user = str(number)
    return Mandate(f"cli:{user}", ensure_text("reason", reason or NO_REASON), datetime.now(UTC))


def open_or_create_registry(mandate: Mandate | None = None) -> Registry:
    """The registry of the settings, made if this is its first use, which is said on stderr. Close it.

    Raises RegistryError where it cannot be made or reached.
    """
    settings = RegistrySettings()
    initialise_registry(settings, mandate or mandate_for(), print_message)
    return open_registry(settings)


def release_action_recorder(registry: Registry) -> Callable[[str, str, str], None]:
    """Puts acts on releases on record, in the name of whoever runs the command."""

    def record(act: str, subject: str, reason: str) -> None:
        mandate = mandate_for(reason[:LONGEST_TEXT])
        if act == WITHDRAWN and not registry.approvals.agree_to_withdrawal(subject, mandate):
            raise NotAllowed(
                f"release: {subject} waits for another person, who withdraws it in the same way.",
                parameter="release", value=subject,
            )  # fmt: skip
        registry.audit.record_release_event(act, subject, mandate)

    return record


@contextmanager
def registry_for(mandate: Mandate) -> Iterator[Registry]:
    """The registry while a command runs."""
    with closing(open_or_create_registry(mandate)) as registry:
        yield registry


def print_message(sentence: str) -> None:
    """A sentence for people."""
    print(sentence, file=sys.stderr)


def escape_formula(cell: str) -> str:
    """A cell of CSV that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe in front."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def print_table(titles: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> None:
    """A table; in a pipe as wide as it needs to be."""
    console = Console()
    table = Table(*titles)
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    if not console.is_terminal:  # a pipe has no width to fit
        console = Console(
            width=max(80, console.measure(table, options=console.options.update(width=1000)).maximum)
        )
    console.print(table)
