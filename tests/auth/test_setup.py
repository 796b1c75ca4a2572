"""Creation of a registry, its migrations, and its connections to SQLite and PostgreSQL."""

from __future__ import annotations

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError, StatementError

from auth.crypto.keyring import Keyring
from auth.db import migrate
from auth.db.engine import open_engine, parse_registry_url, write_transaction
from auth.db.models import Base
from auth.errors import ChainBroken, MalformedValue, RegistryError, RegistryUnavailable, SchemaMismatch
from auth.registry import open_registry
from auth.settings import RegistrySettings
from auth.setup import initialise_registry
from tests.auth.conftest import NOW, MakeSettings, ask, mandate, new_member, new_project


@pytest.fixture
def empty(backend: str, empty_settings: MakeSettings, tmp_path: Path) -> RegistrySettings:
    return empty_settings(backend, tmp_path / "home")


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_call_creates_the_registry_and_reports_it_once(empty):
    messages: list[str] = []
    initialise_registry(empty, mandate(), messages.append)
    initialise_registry(empty, mandate(), messages.append)
    assert len(messages) == 1 and str(empty.home) in messages[0]
    registry = open_registry(empty)
    assert registry.is_up()
    assert registry.audit.verify().events == 1
    assert sorted((key.purpose, key.status) for key in registry.keys.list()) == [
        (purpose, status) for purpose in ("audit", "release", "token") for status in ("active", "next")
    ]
    registry.close()


def test_created_files_and_directories_are_readable_by_their_owner_only(empty):
    before = os.umask(0)
    try:
        initialise_registry(empty, mandate())
    finally:
        os.umask(before)
    assert mode(empty.home) == mode(empty.keys_dir) == 0o700
    files = [file for file in empty.home.rglob("*") if file.is_file()]
    assert len(files) >= 7
    assert {mode(file) for file in files} == {0o600}


def test_only_public_keys_are_in_the_registry(empty):
    initialise_registry(empty, mandate())
    registry = open_registry(empty)
    assert all(key.public_pem.startswith("-----BEGIN PUBLIC KEY-----") for key in registry.keys.list())
    assert "d" not in {name for key in registry.keys.jwks()["keys"] for name in key}
    registry.close()
    if registry.in_process:
        assert b"PRIVATE" not in (empty.home / "registry.sqlite").read_bytes()


def test_several_threads_can_create_the_registry_at_once(empty):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: initialise_registry(empty, mandate()), range(4)))
    registry = open_registry(empty)
    assert registry.audit.verify().events == 1
    assert len(registry.keys.list()) == 6
    registry.close()


def test_a_home_that_cannot_be_used_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("this is no database, " * 100)
    home = tmp_path / "home"
    (tmp_path / "locked" / "registry.lock").mkdir(parents=True)
    odd = f"sqlite:///{tmp_path}/file"
    for settings, sentence in (
        (
            RegistrySettings(home=tmp_path / "file" / "home"),
            "DAYLIGHT_HOME: cannot create the directory .*; choose another path",
        ),
        (
            RegistrySettings(home=tmp_path / "locked"),
            "DAYLIGHT_HOME: cannot lock .*registry.lock .*; choose another path",
        ),
        (
            RegistrySettings(home=home, registry_url=odd),
            "DAYLIGHT_REGISTRY_URL: cannot open the SQLite database",
        ),
    ):
        with pytest.raises(RegistryError, match=sentence):
            initialise_registry(settings, mandate())
    assert (tmp_path / "file").read_text().startswith("this is no database")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_sqlite_has_a_write_ahead_log_and_syncs_every_commit(settings):
    engine = open_engine(parse_registry_url(settings.registry_url))
    with engine.connect() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    engine.dispose()
    assert values == ["wal", 2, 1, 5000]


def test_an_error_of_the_database_shows_no_values(settings):
    """Names of people and identifiers of tokens are bound values."""
    engine = open_engine(parse_registry_url(settings.registry_url))
    query = text("SELECT * FROM nowhere WHERE name = :name")
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(query, {"name": "a-private-value"})
    engine.dispose()
    assert "a-private-value" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["", "nonsense", "mysql://host/x", "sqlite://", "sqlite:///:memory:", "redis://x"]
)
def test_an_invalid_database_address_is_refused(address):
    with pytest.raises(MalformedValue, match="DAYLIGHT_REGISTRY_URL"):
        parse_registry_url(address)


def test_a_refused_address_is_not_repeated_because_it_may_hold_a_password():
    with pytest.raises(MalformedValue) as refused:
        parse_registry_url("mysql://ann:hunter2@host/x")
    assert "hunter2" not in str(vars(refused.value)) + str(refused.value)
    assert "hunter2" not in repr(RegistrySettings(registry_url="postgresql://ann:hunter2@host/x"))


def test_a_registry_of_a_later_version_is_refused(settings, attacker):
    attacker("UPDATE alembic_version SET version_num = '9999'", past_triggers=False)
    with pytest.raises(SchemaMismatch, match="9999"):
        initialise_registry(settings, mandate())


def test_a_registry_whose_database_was_deleted_is_not_created_again_if_its_keys_have_a_witness(
    settings, populated, empty_settings, tmp_path
):
    """The witness file in the keys directory shows that an audit log existed."""
    fresh = empty_settings("sqlite", tmp_path / "other").model_copy(update={"keys_dir": settings.keys_dir})
    with pytest.raises(ChainBroken, match="witness"):
        initialise_registry(fresh, mandate())
    assert not open_registry(fresh).is_up()


def test_the_migrations_create_the_tables_of_the_models(settings):
    engine = open_engine(parse_registry_url(settings.registry_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_all_migrations_can_be_downgraded_and_upgraded_with_rows_in_the_tables(populated, settings):
    issued = populated.tokens.issue(ask(), mandate())
    populated.tokens.revoke(issued.token_id, mandate())
    populated.close()
    engine = open_engine(parse_registry_url(settings.registry_url))
    migrate.downgrade(engine, "base")
    plain = create_engine(settings.registry_url)
    assert inspect(plain).get_table_names() == ["alembic_version"]
    plain.dispose()
    engine.dispose()
    assert not populated.is_up()

    (settings.keys_dir / "audit-witness.json").unlink()
    initialise_registry(settings, mandate())
    assert populated.is_up()
    populated.projects.create(new_project(), mandate())
    populated.projects.add_member(new_member(), mandate())
    assert populated.authenticator.principal(populated.tokens.issue(ask(), mandate()).text, NOW)
    assert populated.audit.verify().events == 4


def test_a_migration_that_fails_half_way_leaves_nothing_behind(empty, monkeypatch):
    monkeypatch.setattr(Keyring, "create_initial_keys", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        initialise_registry(empty, mandate())
    monkeypatch.undo()
    engine = open_engine(parse_registry_url(empty.registry_url))
    assert migrate.database_version(engine) is None
    engine.dispose()
    initialise_registry(empty, mandate())
    registry = open_registry(empty)
    assert registry.is_up()
    registry.close()


def test_an_unreachable_server_is_refused_in_one_sentence(tmp_path, unused_port):
    address = f"postgresql+psycopg://postgres@127.0.0.1:{unused_port}/postgres"
    with pytest.raises(RegistryUnavailable, match="cannot be reached"):
        initialise_registry(RegistrySettings(home=tmp_path, registry_url=address), mandate())


def test_postgresql_without_its_driver_is_refused_in_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MalformedValue, match="needs the package psycopg"):
        open_registry(RegistrySettings(registry_url="postgresql://host/x"))


def test_a_moment_without_a_time_zone_is_never_stored(registry):
    with pytest.raises(StatementError, match="without a time zone"):
        registry.keys.rotate("token", mandate(NOW.replace(tzinfo=None)))


def test_existing_keys_are_not_created_again(settings):
    engine = open_engine(parse_registry_url(settings.registry_url))
    before = sorted(settings.keys_dir.iterdir())
    with write_transaction(engine) as session:
        Keyring(engine, settings.keys_dir).create_initial_keys(session, NOW)
    assert sorted(settings.keys_dir.iterdir()) == before
    engine.dispose()
