"""Databases for the tests on a real PostgreSQL server; they are dropped at the end of the run."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from auth.db.admin_models import Admin as Admin
from auth.db.models import Base
from tests.waiting import PATIENCE

SERVER = os.environ.get("DAYLIGHT_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")

TABLES = (*(table.name for table in reversed(Base.metadata.sorted_tables)), "alembic_version")
"""All tables; a table that refers to another comes before it."""


def database_url(name: str) -> str:
    """The address of one database on the server."""
    return make_url(SERVER).set(database=name).render_as_string(hide_password=False)


class Server:
    """Creates databases for the tests on the server and drops them at the end.

    Copying and dropping a database takes a quarter of a second. So the contents of a registry's database are restored after
    a test, and the next test uses it again, unless the test has changed its tables.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._created: list[str] = []
        self._restored: list[str] = []

    def make(self, template: str = "template0") -> str:
        name = f"daylight_auth_{secrets.token_hex(6)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._created.append(name)
        return name

    def save_contents(self, name: str) -> None:
        with self._connection(name) as connection:
            connection.exec_driver_sql("CREATE SCHEMA pristine")
            for table in TABLES:
                connection.exec_driver_sql(f"CREATE TABLE pristine.{table} AS TABLE public.{table}")

    def copy(self, template: str) -> str:
        return self._restored.pop() if self._restored else self.make(template)

    def restore_for_reuse(self, name: str) -> None:
        # the tables have a few rows, so TRUNCATE would take ten times as long
        empty = "".join(f"DELETE FROM {table};" for table in TABLES)
        fill = "".join(f"INSERT INTO {table} SELECT * FROM pristine.{table};" for table in reversed(TABLES))
        try:
            with self._connection(name) as connection:
                connection.exec_driver_sql(
                    "SET LOCAL lock_timeout = '1s'; SET LOCAL synchronous_commit = off;"
                    "ALTER TABLE audit_event DISABLE TRIGGER USER;"
                    f"{empty} {fill} ALTER TABLE audit_event ENABLE TRIGGER USER"
                )
        except DBAPIError:
            return  # the test has changed the tables: the database is not used again
        self._restored.append(name)

    def drop_all(self) -> None:
        for name in self._created:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.exec_driver_sql(statement)

    @contextmanager
    def _connection(self, name: str) -> Iterator[Connection]:
        engine = create_engine(database_url(name))
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A real server. If there is none, tests that need it fail in CI and are skipped with a message elsewhere."""
    engine = create_engine(SERVER, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": PATIENCE})
    try:
        engine.connect().close()
    except OperationalError:
        missing = f"no PostgreSQL answers at {make_url(SERVER).render_as_string()}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(f"LEFT OUT: {missing}; the registry is tested on SQLite alone")
    server = Server(engine)
    yield server
    server.drop_all()
    engine.dispose()
