"""A complete deployment in a folder for tests: registry, ledger, releases and the API over them, without mocks."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from auth.audit.chain import Mandate
from auth.projects import NewMember, NewProject
from auth.registry import Registry, open_registry
from auth.scopes import SCOPES
from auth.settings import RegistrySettings
from auth.setup import initialise_registry
from auth.tokens.issuing import NewToken
from datasets.catalogue import find_dataset
from datasets.period import Month
from datasets.pipeline.events.synthetic import generate_events
from datasets.pipeline.run import build_release
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner
from tests.waiting import PATIENCE, wait_if_a_half_day_ends

ALL = frozenset(SCOPES)
EMAIL = "researcher@example.org"


def mandate(at: datetime | None = None) -> Mandate:
    return Mandate("cli:tester", "a test", at or datetime.now(UTC))


class Deployment:
    """`release` builds a month, `project` and `token` give access, `client` sends requests to the API."""

    def __init__(self, home: Path, registry_url: str = "") -> None:
        self.home = home
        self.registry_settings = (
            RegistrySettings(home=home, registry_url=registry_url)
            if registry_url
            else RegistrySettings(home=home)
        )
        if not (home / "keys").exists():
            initialise_registry(self.registry_settings, mandate())
        self.registry: Registry = open_registry(self.registry_settings)
        self._admins = len(self.registry.admins.list())
        self._projects = len(self.registry.projects.list())

    def release(
        self, dataset: str, month: str, events: Path | None = None, rows: int = 20_000, correction: str = ""
    ) -> Path:
        """Build and publish a release, from synthetic events unless others are given; returns its folder."""
        declared, when = find_dataset(dataset), Month.parse(month)
        if events is None:
            events = self.home / "events"
            generate_events(declared, when, rows=rows, seed=int(month.replace("-", "")), out=events)
        ledger = LedgerStore(f"sqlite:///{self.home / 'ledger.sqlite'}")
        try:
            signer = ReleaseSigner(self.registry.keys.release_signer(), self.registry.keys.release_verifier())
            return build_release(
                declared,
                when,
                events,
                BuildContext(self.releases, self.home / "private", ledger, signer),
                correction=correction,
            )
        finally:
            ledger.close()

    @property
    def releases(self) -> Path:
        return self.home / "releases"

    def project(
        self, scopes: frozenset[str] = ALL, tier: str = "standard", at: datetime | None = None
    ) -> str:
        """Create a project with one researcher that lasts ninety days; returns its identifier."""
        self._projects += 1
        at = at or datetime.now(UTC)
        today = at.date()
        new = NewProject(
            f"REQ-{self._projects}", "IE", "Systemic risks", scopes, today, today + timedelta(days=90), tier
        )
        made = self.registry.projects.create(new, mandate(at))
        self.registry.projects.add_member(
            NewMember(made.id, "A Researcher", EMAIL, "An institution"), mandate(at)
        )
        return made.id

    def token(
        self,
        project: str | None = None,
        scopes: frozenset[str] | None = None,
        at: datetime | None = None,
        **options: Any,
    ) -> str:
        """Issue a token, for a new project unless one is given; returns its text."""
        project = project or self.project(scopes or ALL, at=at)
        return self.registry.tokens.issue(
            NewToken(project, EMAIL, scopes or frozenset(), **options), mandate(at)
        ).text

    def session(self, role: str = "owner", at: datetime | None = None) -> str:
        """Open a session for a new admin with this role; returns the text of its token."""
        self._admins += 1
        made = self.registry.admins.add("An Admin", f"{role}{self._admins}@example.org", role, mandate())
        return self.registry.sessions.open(made.id, 30, mandate(at)).text

    def api_settings(self, **settings: Any) -> ApiSettings:
        """Settings of an API over this deployment, with a deadline for questions that a busy machine keeps."""
        return ApiSettings(home=self.home, **({"deadline_seconds": PATIENCE} | settings))

    @contextmanager
    def client(self, token: str | None = None, **settings: Any) -> Iterator[TestClient]:
        """A client of a new application over this deployment."""
        app = create_app(self.api_settings(**settings), self.registry_settings)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        wait_if_a_half_day_ends()
        with TestClient(app, headers=headers, raise_server_exceptions=False) as client:
            yield client

    def make_serving_copies(self) -> None:
        """Start an application once, so that it makes the serving copies of all releases and copies of this deployment have them."""
        with self.client():
            pass

    def copy_release_from(self, other: Deployment, release: str = "moderation/2026-06.2") -> None:
        """Copy a release of another deployment as `rsync` would: its files first, then the ledger and the pointer to it."""
        coming, pointer = self.releases / ".coming", release.split(".", 1)[0]
        shutil.copytree(other.releases / release, coming)
        coming.rename(self.releases / release)
        for name in ("ledger", f"{pointer}.current"):
            shutil.copy(other.releases / name, coming)
            coming.rename(self.releases / name)

    def copy(self, home: Path) -> Deployment:
        """A copy of this deployment that a test may change, with the serving copies that exist."""
        shutil.copytree(self.home, home, ignore=shutil.ignore_patterns("events", "registry.sqlite*"))
        # copied through SQLite: when a process closes a file, it loses the POSIX locks of its open connections to that file, and
        # another process might then delete their write-ahead log
        source, target = (sqlite3.connect(folder / "registry.sqlite") for folder in (self.home, home))
        source.backup(target)
        source.close()
        target.close()
        return Deployment(home)

    def close(self) -> None:
        self.registry.close()
