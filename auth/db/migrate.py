"""Which tables the registry has, and the way from one version of them to the next."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from auth.db.engine import snapshot, write_transaction
from auth.errors import SchemaMismatch

_MIGRATIONS = Path(__file__).parent.parent / "migrations"
_VERSION = text("SELECT version_num FROM alembic_version")


@cache
def head_version() -> str:
    """The version of the tables that this program works on."""
    return _known_versions()[0]


def database_version(engine: Engine) -> str | None:
    """The version of the tables that are there, None where there are none. Raises RegistryUnavailable."""
    with snapshot(engine) as session:
        return _read_version(session.connection())


def upgrade(connection: Connection) -> str | None:
    """Brings the tables to this program's version, inside the caller's transaction; the version before.

    Raises SchemaMismatch where they were made by a later version of the program.
    """
    there = _read_version(connection)
    if there is not None and there not in _known_versions():
        raise SchemaMismatch(
            f"The registry's tables are of version {there}, which this program does not know: it knows up to "
            f"{head_version()}. Use the version of the program that made them, or a later one.",
            value=there,
            allowed=(head_version(),),
        )
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    command.upgrade(_alembic_config(connection), "head")
    return there


def downgrade(engine: Engine, target: str) -> None:
    """Takes the tables back to an earlier version; `base` removes them with all that is in them."""
    with write_transaction(engine) as session:
        command.downgrade(_alembic_config(session.connection()), target)


def _read_version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(_VERSION).scalar_one_or_none()


def _known_versions() -> list[str]:
    """Every version this program knows, the latest first."""
    return [script.revision for script in ScriptDirectory.from_config(_alembic_config()).walk_revisions()]


def _alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
