"""The command `daylight`: mounts the sub-commands of the packages, nothing else."""

from __future__ import annotations

import errno
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from api.cli import serve, write_openapi
from api.settings import ApiSettings
from auth.cli import admin
from auth.errors import RegistryError
from auth.terminal import opened_registry, recorder
from datasets.build.cli import ledger_commands, release_commands
from datasets.build.events.cli import events
from datasets.build.seal import Seal
from datasets.build.settings import BuildSettings
from datasets.catalogue import DATASETS
from datasets.refusal import Refusal
from datasets.release.reader import Releases
from datasets.reports.cli import reports_commands

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


def seal() -> Seal:
    """What releases are signed with: the release key of the registry, which is made where there is none."""
    registry = opened_registry()
    return Seal(registry.release_signer(), registry.release_verifier(), recorder(registry))


def releases() -> Releases:
    """What is released, as the API reads it."""
    settings, verifier = ApiSettings(), opened_registry().release_verifier()
    return Releases(settings.releases_dir, settings.cache_dir, verifier, tuple(d.name for d in DATASETS))


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(version("daylight"))
        raise typer.Exit


@app.callback()
def daylight(
    _version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
) -> None:
    """Anonymised aggregates on ads, recommendations and moderation actions, for vetted researchers."""


app.add_typer(events, name="events")
app.add_typer(release_commands(seal), name="release")
app.add_typer(ledger_commands(seal), name="ledger")
app.add_typer(reports_commands(releases), name="reports")
app.add_typer(admin, name="admin")
app.command()(serve)
app.command(name="openapi")(write_openapi)


def _wrong_setting(error: ValidationError) -> str:
    """One line about the first setting that cannot be used, without its value, which may be a secret."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = "_".join(map(str, first["loc"])).upper()
    return f"the setting DAYLIGHT_{name} cannot be used: {first['msg'].removeprefix('Value error, ')}"


def _failed_disk(error: OSError) -> str:
    """One line about a file or a disk that cannot be used: which folder, and what to do."""
    named = isinstance(error.filename, str | bytes)
    folder = Path(os.fsdecode(error.filename)).absolute().parent if named else BuildSettings().home
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full that holds {folder}; make room there and give the command again"
    what = os.fsdecode(error.filename) if named else f"something under {folder}"
    return f"{what} cannot be used ({error.strerror or error}); check the folder {folder} and its permissions"


def main() -> None:
    """Run a command; a refusal, or a file that cannot be used, is one line on stderr and exit code 2."""
    try:
        app()
    except (Refusal, RegistryError) as refusal:
        print(f"daylight: {refusal}", file=sys.stderr)
        sys.exit(2)
    except ValidationError as error:
        print(f"daylight: {_wrong_setting(error)}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"daylight: {_failed_disk(error)}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
