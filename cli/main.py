"""The command `daylight`: imports the sub-command that is named, and reports refusals in one line with exit code 2."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from auth.errors import RegistryError, RegistryUnavailable
from datasets.refusal import Refusal

if TYPE_CHECKING:
    from datasets.pipeline.state.signing import ReleaseSigner
    from datasets.release.releases import Releases

NO_REGISTRY = (
    "the registry does not answer, has no tables of this version, or cannot be read by the user who runs this command "
    "(on SQLite, only while the server runs if that is another user than the server's), so no signature of a release can be "
    "checked; DAYLIGHT_REGISTRY_URL, or else DAYLIGHT_HOME, says where it is"
)


def open_release_signer() -> ReleaseSigner:
    """The signer of releases: the release key of the registry, which is created if it does not exist yet."""
    from cli.terminal import open_or_create_registry, release_action_recorder
    from datasets.pipeline.state.signing import ReleaseSigner

    registry = open_or_create_registry()
    return ReleaseSigner(
        registry.keys.release_signer(), registry.keys.release_verifier(), release_action_recorder(registry)
    )


@contextmanager
def open_releases() -> Iterator[Releases]:
    """The published releases, as the API reads them, with serving copies in a temporary folder that is removed at the end.

    The command may run as another user than the server, who could not use a cache or a key that it had created. Only
    releases that are asked a question get a serving copy. Raises RegistryUnavailable if no signature can be checked.
    """
    from api.settings import ApiSettings
    from auth.registry import open_registry
    from auth.settings import RegistrySettings
    from datasets.catalogue import DATASETS
    from datasets.release.releases import Releases

    names = tuple(dataset.name for dataset in DATASETS)
    with (
        closing(open_registry(RegistrySettings())) as registry,
        TemporaryDirectory(prefix="daylight-") as cache,
    ):
        if not registry.is_up():
            raise RegistryUnavailable("no answer, no registry, or another version of its tables", NO_REGISTRY)
        verify = registry.keys.release_verifier()
        with closing(
            Releases(ApiSettings().releases_dir, Path(cache), verify, names, attach_copies=False)
        ) as releases:
            yield releases


def _mount_events(app: typer.Typer) -> None:
    from cli.events import events

    app.add_typer(events, name="events")


def _mount_release(app: typer.Typer) -> None:
    from cli.release import release_commands

    app.add_typer(release_commands(open_release_signer), name="release")


def _mount_ledger(app: typer.Typer) -> None:
    from cli.ledger import ledger_commands

    app.add_typer(ledger_commands(open_release_signer), name="ledger")


def _mount_reports(app: typer.Typer) -> None:
    from cli.reports import reports_commands

    app.add_typer(reports_commands(open_releases), name="reports")


def _mount_admin(app: typer.Typer) -> None:
    from cli.admin.main import admin

    app.add_typer(admin, name="admin")


def _mount_serve(app: typer.Typer) -> None:
    from cli.serve import serve

    app.command(name="serve")(serve)


def _mount_openapi(app: typer.Typer) -> None:
    from cli.serve import write_openapi

    app.command(name="openapi")(write_openapi)


MOUNTS: dict[str, Callable[[typer.Typer], None]] = {
    "serve": _mount_serve,
    "openapi": _mount_openapi,
    "events": _mount_events,
    "release": _mount_release,
    "ledger": _mount_ledger,
    "reports": _mount_reports,
    "admin": _mount_admin,
}
"""For each command, the function that imports it and adds it to an application of typer."""


class LazyCommands(Mapping[str, Any]):
    """The commands by name, each imported when it is looked up: `daylight admin` does not wait for DuckDB and the API."""

    def __getitem__(self, name: str) -> Any:
        parent = typer.Typer()
        MOUNTS[name](parent)
        return typer.main.get_group(parent).commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MOUNTS)

    def __len__(self) -> int:
        return len(MOUNTS)


class CommandGroup(TyperGroup):
    """The group of all commands, which typer would otherwise fill when it is created."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast("Any", LazyCommands())


app = typer.Typer(
    cls=CommandGroup, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(version("daylight"))
        raise typer.Exit


@app.callback()
def daylight(
    _version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
) -> None:
    """Anonymised aggregates on ads, recommendations and moderation actions, for vetted researchers."""


def _setting_error_line(error: ValidationError) -> str:
    """One line about the first setting that is not valid.

    Pydantic's copy of the value is left out, since it may be a secret. A validator names that of others.
    """
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = "_".join(map(str, first["loc"])).upper()
    return f"the setting DAYLIGHT_{name} cannot be used: {first['msg'].removeprefix('Value error, ')}"


def _file_error_line(error: OSError) -> str:
    """One line about an operating system error on a file or a disk: which folder, and what to do."""
    from datasets.pipeline.settings import BuildSettings

    named = isinstance(error.filename, str | bytes)
    try:
        folder = Path(os.fsdecode(error.filename)).absolute().parent if named else BuildSettings().home
    except ValidationError as wrong:
        return f"{error.strerror or error}; and {_setting_error_line(wrong)}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk that holds {folder} is full; free some space and run the command again"
    path = os.fsdecode(error.filename) if named else f"a file under {folder}"
    return f"{path} cannot be used ({error.strerror or error}); check the folder {folder} and its permissions"


def main() -> None:
    """Run a command. A refusal, or a file that cannot be used, is reported in one line on stderr, with exit code 2."""
    try:
        app()
    except (Refusal, RegistryError) as refusal:
        print(f"daylight: {refusal}", file=sys.stderr)
        sys.exit(2)
    except ValidationError as error:
        print(f"daylight: {_setting_error_line(error)}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"daylight: {_file_error_line(error)}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
