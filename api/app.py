"""The application: settings in, application out. The only place where things are wired together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import Depends, FastAPI

from api import errors, noted, openapi
from api.answers import Answers
from api.cursor_key import cursor_key
from api.dependencies import principal_of
from api.desk import Desk
from api.gate import Gate
from api.limits import Limits
from api.outer import Outer
from api.quota import ensure_left
from api.routes import (
    aggregates,
    changes,
    citations,
    codelists,
    datasets,
    docs,
    files,
    health,
    keys,
    ledger,
    me,
    plan,
    problems,
    projects,
    releases,
    service,
)
from api.settings import ApiSettings
from auth.registry import open_registry
from auth.settings import RegistrySettings
from datasets.catalogue import DATASETS
from datasets.release.cursor import Cursors
from datasets.release.reader import Releases

OPEN = (
    service,
    datasets,
    codelists,
    releases,
    changes,
    citations,
    ledger,
    health,
    keys,
    problems,
    docs,
    projects,
)
WITH_TOKEN = (aggregates,)
FILES = (files,)
FREE = (plan, me)


def create_app(settings: ApiSettings | None = None, registry: RegistrySettings | None = None) -> FastAPI:
    """The API of one deployment. Nothing is opened before it starts, and all is closed when it ends.

    Raises LimitsSwitchedOff where the environment would switch its limits off.
    """
    settings = settings or ApiSettings()
    registry = registry or RegistrySettings()
    limits = Limits(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.registry = open_registry(registry)
        names = tuple(dataset.name for dataset in DATASETS)
        app.state.releases = Releases(
            settings.releases_dir,
            settings.cache_dir,
            app.state.registry.release_verifier(),
            names,
            cursors=Cursors(cursor_key(settings)),
        )
        app.state.desk = Desk(settings.workers, settings.deadline_seconds)
        app.state.answers = Answers(app.state.desk, settings.answers_mib << 20)
        try:
            async with noted.written(app.state.registry):
                yield
        finally:
            app.state.desk.close()
            app.state.releases.close()
            app.state.registry.close()

    app = FastAPI(
        title="Daylight",
        version=_version(),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.settings, app.state.limits = settings, limits
    app.state.gate = Gate(settings.limit_attempts)
    errors.install(app, limits.too_many)
    for noun in WITH_TOKEN:  # authentication first: the limit's key is the project
        app.include_router(
            noun.router, dependencies=[Depends(principal_of), Depends(limits.project), Depends(ensure_left)]
        )
    for noun in FILES:
        app.include_router(
            noun.router, dependencies=[Depends(principal_of), Depends(limits.files), Depends(ensure_left)]
        )
    for noun in FREE:
        app.include_router(noun.router, dependencies=[Depends(principal_of), Depends(limits.plans)])
    for noun in (*OPEN, openapi):
        app.include_router(noun.router, dependencies=[Depends(limits.open)])
    app.include_router(me.found_router, dependencies=[Depends(limits.open)])
    app.add_middleware(Outer, fields=limits.fields)
    return app


def _version() -> str:
    try:
        return version("daylight")
    except PackageNotFoundError:
        return "0.0.0"
