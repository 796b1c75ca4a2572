"""The version of the registry's tables, and their migration from one version to the next."""

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
    """The version of the tables that this program needs."""
    return _known_versions()[0]


def database_version(engine: Engine) -> str | None:
    """The version of the tables in the database, None if there are no tables. Raises RegistryUnavailable."""
    with snapshot(engine) as session:
        return _read_version(session.connection())


def upgrade(connection: Connection) -> str | None:
    """Migrates the tables to this program's version, inside the caller's transaction. Returns the version before.

    Raises SchemaMismatch if the tables were made by a later version of the program.
    """
    before = _read_version(connection)
    if before is not None and before not in _known_versions():
        raise SchemaMismatch(
            f"The registry's tables have version {before}, which this program does not know: the latest that it knows is "
            f"{head_version()}. Use the version of the program that made them, or a later one.",
            value=before,
            allowed=(head_version(),),
        )
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    command.upgrade(_alembic_config(connection), "head")
    return before


def downgrade(engine: Engine, target: str) -> None:
    """Migrates the tables back to an earlier version; `base` drops all tables with their rows."""
    with write_transaction(engine) as session:
        command.downgrade(_alembic_config(session.connection()), target)


def _read_version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(_VERSION).scalar_one_or_none()


def _known_versions() -> list[str]:
    """Every version that this program knows, the latest first."""
    return [script.revision for script in ScriptDirectory.from_config(_alembic_config()).walk_revisions()]


def _alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
