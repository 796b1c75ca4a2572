"""The command `daylight`: mounts the sub-commands of the packages, nothing else."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from auth.errors import RegistryError
from datasets.refusal import Refusal

if TYPE_CHECKING:
    from datasets.pipeline.state.signing import ReleaseSigner
    from datasets.release.releases import Releases


def seal() -> ReleaseSigner:
    """What releases are signed with: the release key of the registry, which is made where there is none."""
    from cli.terminal import open_or_create_registry, release_action_recorder
    from datasets.pipeline.state.signing import ReleaseSigner

    registry = open_or_create_registry()
    return ReleaseSigner(
        registry.release_signer(), registry.release_verifier(), release_action_recorder(registry)
    )


def releases() -> Releases:
    """What is released, as the API reads it."""
    from api.settings import ApiSettings
    from cli.terminal import open_or_create_registry
    from datasets.catalogue import DATASETS
    from datasets.release.releases import Releases

    settings, verifier = ApiSettings(), open_or_create_registry().release_verifier()
    return Releases(settings.releases_dir, settings.cache_dir, verifier, tuple(d.name for d in DATASETS))


def _events(app: typer.Typer) -> None:
    from cli.events import events

    app.add_typer(events, name="events")


def _release(app: typer.Typer) -> None:
    from cli.release import release_commands

    app.add_typer(release_commands(seal), name="release")


def _ledger(app: typer.Typer) -> None:
    from cli.ledger import ledger_commands

    app.add_typer(ledger_commands(seal), name="ledger")


def _reports(app: typer.Typer) -> None:
    from cli.reports import reports_commands

    app.add_typer(reports_commands(releases), name="reports")


def _admin(app: typer.Typer) -> None:
    from cli.admin.main import admin

    app.add_typer(admin, name="admin")


def _serve(app: typer.Typer) -> None:
    from cli.serve import serve

    app.command(name="serve")(serve)


def _openapi(app: typer.Typer) -> None:
    from cli.serve import write_openapi

    app.command(name="openapi")(write_openapi)


MOUNTS: dict[str, Callable[[typer.Typer], None]] = {
    "serve": _serve, "openapi": _openapi, "events": _events, "release": _release, "ledger": _ledger,
    "reports": _reports, "admin": _admin,
}  # fmt: skip


class Mounted(Mapping[str, Any]):
    """The commands by name, each imported when it is asked for: who makes a project waits for no DuckDB and no API."""

    def __getitem__(self, name: str) -> Any:
        alone = typer.Typer()
        MOUNTS[name](alone)
        return typer.main.get_group(alone).commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MOUNTS)

    def __len__(self) -> int:
        return len(MOUNTS)


class Commands(TyperGroup):
    """The group of all commands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast("Any", Mounted())


app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(version("daylight"))
        raise typer.Exit


@app.callback()
def daylight(
    _version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
) -> None:
    """Anonymised aggregates on ads, recommendations and moderation actions, for vetted researchers."""


def _wrong_setting(error: ValidationError) -> str:
    """One line about the first setting that cannot be used, without its value, which may be a secret."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = "_".join(map(str, first["loc"])).upper()
    return f"the setting DAYLIGHT_{name} cannot be used: {first['msg'].removeprefix('Value error, ')}"


def _failed_disk(error: OSError) -> str:
    """One line about a file or a disk that cannot be used: which folder, and what to do."""
    from datasets.pipeline.settings import BuildSettings

    named = isinstance(error.filename, str | bytes)
    try:
        folder = Path(os.fsdecode(error.filename)).absolute().parent if named else BuildSettings().home
    except ValidationError as wrong:
        return f"{error.strerror or error}; and {_wrong_setting(wrong)}"
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
