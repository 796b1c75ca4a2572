"""Registries for the tests, on SQLite and on a real PostgreSQL: copies of one that is created once."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url

from auth.audit.chain import Mandate
from auth.db.engine import open_engine, parse_registry_url
from auth.projects import NewMember, NewProject
from auth.registry import Registry, open_registry
from auth.settings import RegistrySettings
from auth.setup import initialise_registry
from auth.tokens.issuing import NewToken
from tests.live import reserved_port
from tests.postgresql import Server, database_url

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
PROJECT, MEMBER = "REQ-1", "ann@uni.example"
BACKENDS = ("sqlite", "postgresql")
MakeSettings = Callable[[str, Path], RegistrySettings]


def mandate(at: datetime = NOW, reason: str = "a test") -> Mandate:
    return Mandate("cli:tester", reason, at)


@pytest.fixture(scope="session")
def empty_settings(request: pytest.FixtureRequest) -> MakeSettings:
    """Settings of a registry that does not exist yet."""

    def make(backend: str, home: Path) -> RegistrySettings:
        if backend == "sqlite":
            return RegistrySettings(home=home)
        server: Server = request.getfixturevalue("postgresql")
        return RegistrySettings(home=home, registry_url=database_url(server.make()))

    return make


@pytest.fixture(scope="session")
def new_settings(
    request: pytest.FixtureRequest, empty_settings: MakeSettings, tmp_path_factory: pytest.TempPathFactory
) -> MakeSettings:
    """Settings of a new registry, which is a copy of one that is created once."""
    templates: dict[str, RegistrySettings] = {}

    def make(backend: str, home: Path) -> RegistrySettings:
        if backend not in templates:
            templates[backend] = empty_settings(backend, tmp_path_factory.mktemp("template") / "home")
            initialise_registry(templates[backend], mandate())
            if backend == "postgresql":
                request.getfixturevalue("postgresql").save_contents(_name(templates[backend]))
        template = templates[backend]
        shutil.copytree(template.home, home)
        if backend == "sqlite":
            return RegistrySettings(home=home)
        server: Server = request.getfixturevalue("postgresql")
        return RegistrySettings(home=home, registry_url=database_url(server.copy(_name(template))))

    return make


def _name(settings: RegistrySettings) -> str:
    return make_url(settings.registry_url).database or ""


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(
    request: pytest.FixtureRequest, backend: str, new_settings: MakeSettings, tmp_path: Path
) -> Iterator[RegistrySettings]:
    made = new_settings(backend, tmp_path / "home")
    server: Server | None = request.getfixturevalue("postgresql") if backend == "postgresql" else None
    yield made
    if server is not None:
        server.restore_for_reuse(_name(made))


@pytest.fixture
def engine(settings: RegistrySettings) -> Iterator[Engine]:
    """Connections to the database of `registry`, beside its own."""
    opened = open_engine(parse_registry_url(settings.registry_url))
    yield opened
    opened.dispose()


@pytest.fixture
def registry(settings: RegistrySettings) -> Iterator[Registry]:
    opened = open_registry(settings)
    yield opened
    opened.close()


def new_project(reference: str = PROJECT, **changes: Any) -> NewProject:
    terms: dict[str, Any] = {
        "reference": reference,
        "dsc": "IE",
        "purpose": "Systemic risks of recommender systems",
        "scopes": frozenset({"ads:read", "moderation:read"}),
        "first_day": date(2026, 6, 1),
        "last_day": date(2027, 5, 31),
    }
    return NewProject(**(terms | changes))


def new_member(project: str = PROJECT, email: str = MEMBER, **changes: str) -> NewMember:
    person = {"name": "Ann Example", "institution": "An Example University"} | changes
    return NewMember(project=project, email=email, **person)


def new_request(**changes: Any) -> NewProject:
    """A reasoned request for three months from today on."""
    period: dict[str, Any] = {"first_day": NOW.date(), "last_day": NOW.date() + timedelta(days=90)}
    return new_project(**({"reference": "REQ-7"} | period | changes))


def ask(project: str = PROJECT, researcher: str = MEMBER, **changes: Any) -> NewToken:
    return NewToken(project, researcher, **changes)


def token_text(registry: Registry, **changes: Any) -> str:
    """The text of a new token of the member of `populated`."""
    return registry.tokens.issue(ask(**changes), mandate()).text


@pytest.fixture
def populated(registry: Registry) -> Registry:
    """A registry with one project and one member, ann@uni.example."""
    registry.projects.create(new_project(), mandate())
    registry.projects.add_member(new_member(), mandate())
    return registry


@pytest.fixture
def attacker(settings: RegistrySettings) -> Callable[..., None]:
    """Runs SQL statements as the owner of the database, who can disable the triggers."""

    def run(*statements: str, past_triggers: bool = True) -> None:
        engine = create_engine(settings.registry_url)
        before: tuple[str, ...] = ()
        if past_triggers and engine.dialect.name == "postgresql":
            before = ("ALTER TABLE audit_event DISABLE TRIGGER USER",)
        elif past_triggers:
            before = tuple(
                f"DROP TRIGGER IF EXISTS audit_event_{name}"
                for name in ("no_update", "no_delete", "in_order")
            )
        try:
            with engine.begin() as connection:
                for statement in (*before, *statements):
                    connection.exec_driver_sql(statement)
        finally:
            engine.dispose()

    return run


@pytest.fixture
def unused_port() -> Iterator[int]:
    with reserved_port() as port:
        yield port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield int(listener.getsockname()[1])
