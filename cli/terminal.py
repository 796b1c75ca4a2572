"""What the commands share: opening the registry, the mandate of the user, messages on stderr, and tables on stdout."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auth.audit.chain import Mandate
from auth.errors import NotAllowed
from auth.registry import Registry, open_registry
from auth.settings import RegistrySettings
from auth.setup import initialise_registry
from auth.validation import MAX_TEXT_LENGTH, ensure_text

WITHDRAWN = "release.withdrawn"
NO_REASON = "no reason given"
Reason = Annotated[
    str, typer.Option(help="The reason. It stays in the audit log for ever, so name no person.")
]
Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="Reference of the reasoned request.")]
InProject = Annotated[str, typer.Option("--project", help="Reference of the reasoned request, or prj_...")]


def mandate_for(reason: str = NO_REASON) -> Mandate:
    """The mandate of a command: the user by the uid of the process, not by the environment, which anybody can set."""
    number = os.getuid()
    try:
        user = pwd.getpwuid(number).pw_name
    except KeyError:
        user = str(number)
    return Mandate(f"cli:{user}", ensure_text("reason", reason or NO_REASON), datetime.now(UTC))


def open_or_create_registry(mandate: Mandate | None = None) -> Registry:
    """The registry of the settings. If it does not exist, it is created, with a message on stderr. The caller must close it.

    Raises RegistryError if it cannot be created or reached.
    """
    settings = RegistrySettings()
    initialise_registry(settings, mandate or mandate_for(), print_message)
    return open_registry(settings)


def release_action_recorder(registry: Registry) -> Callable[[str, str, str], None]:
    """A function that records actions on releases in the audit log, in the name of the user who runs the command.

    It raises NotAllowed if a withdrawal waits for the consent of another person.
    """

    def record(action: str, subject: str, reason: str) -> None:
        mandate = mandate_for(reason[:MAX_TEXT_LENGTH])
        if action == WITHDRAWN and not registry.consents.consent_to_withdrawal(subject, mandate):
            raise NotAllowed(
                f"release: {subject} waits for another person, who must run the same command.",
                parameter="release", value=subject,
            )  # fmt: skip
        registry.audit.record_release_event(action, subject, mandate)

    return record


@contextmanager
def registry_for(mandate: Mandate) -> Iterator[Registry]:
    """The registry, which is closed when the command ends."""
    with closing(open_or_create_registry(mandate)) as registry:
        yield registry


def print_message(sentence: str) -> None:
    """Print a message for people on stderr."""
    print(sentence, file=sys.stderr)


def escape_formula(cell: str) -> str:
    """A CSV cell that no spreadsheet runs as a formula: a cell that begins like a formula gets a leading apostrophe."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def print_table(
    titles: tuple[str, ...], lines: Iterable[tuple[str, ...]], *, title: str | None = None, right: Container[str] = ()
) -> None:  # fmt: skip
    """Print a table on stdout. If stdout is not a terminal, the table is as wide as its cells need.

    `right` has the titles of the columns that are aligned on the right.
    """
    console = Console()
    table = Table(title=title, title_justify="left")
    for name in titles:
        table.add_column(name, justify="right" if name in right else "left")
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    if not console.is_terminal:  # a pipe or a file has no width
        console = Console(
            width=max(80, console.measure(table, options=console.options.update(width=1000)).maximum)
        )
    console.print(table)
