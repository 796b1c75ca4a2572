"""The application: settings in, application out. The only place where things are wired together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import Depends, FastAPI

from api import errors
from api.access.admission import admin_admission, admission
from api.access.rate_limits import RateLimits
from api.access.registry_calls import RegistryExecutor
from api.access.throttle import FailedLoginThrottle
from api.query.cursor_key import cursor_key
from api.query.executor import QueryExecutor
from api.query.fast_path import KnownQueryRoute
from api.query.results import ResultCache
from api.routes import (
    admin,
    aggregates,
    changes,
    citations,
    codelists,
    datasets,
    files,
    ledger,
    me,
    plan,
    projects,
    releases,
    reports,
    tokens,
)
from api.routes.about import docs, health, keys, metrics, problems, service
from api.server import background
from api.server.metrics import Metrics
from api.server.middleware import RequestMiddleware
from api.settings import ApiSettings
from auth.registry import open_registry
from auth.settings import RegistrySettings
from datasets.catalogue import DATASETS
from datasets.release.answer.cursor import Cursors
from datasets.release.releases import Releases

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
    metrics,
    tokens,
)
WITH_TOKEN = (aggregates, reports)
FILES = (files,)
FREE = (plan, me)


def create_app(settings: ApiSettings | None = None, registry: RegistrySettings | None = None) -> FastAPI:
    """The API of one deployment. Nothing is opened before it starts, and all is closed when it ends.

    Raises LimitsSwitchedOff where the environment would switch its limits off.
    """
    settings = settings or ApiSettings()
    registry = registry or RegistrySettings()
    limits = RateLimits(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.registry = open_registry(registry)
        names = tuple(dataset.name for dataset in DATASETS)
        app.state.releases = Releases(
            settings.releases_dir,
            settings.cache_dir,
            app.state.registry.keys.release_verifier(),
            names,
            cursors=Cursors(cursor_key(settings)),
        )
        app.state.releases.store.watch()
        app.state.registry_executor = RegistryExecutor()
        app.state.executor = QueryExecutor(settings.workers, settings.deadline_seconds)
        app.state.results = ResultCache(app.state.executor, settings.answers_mib << 20)
        try:
            async with background.flush_periodically(app.state.registry):
                yield
        finally:
            app.state.executor.close()
            app.state.registry_executor.close()
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
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
        },  # what is asked goes into no one's trace
    )
    app.state.settings, app.state.limits = settings, limits
    app.state.metrics = Metrics()
    app.state.login_throttle = FailedLoginThrottle(settings.limit_attempts)
    errors.install_handlers(app, limits.limit_exceeded_response)
    app.state.known_queries = KnownQueryRoute(admission(limits.project, quota=True))
    app.router.routes.insert(0, app.state.known_queries)  # before what it saves from being asked again
    for noun in WITH_TOKEN:
        app.include_router(noun.router, dependencies=[Depends(admission(limits.project, quota=True))])
    for noun in FILES:
        app.include_router(noun.router, dependencies=[Depends(admission(limits.files, quota=True))])
    for noun in FREE:
        app.include_router(noun.router, dependencies=[Depends(admission(limits.plans, quota=False))])
    for router in admin.ROUTERS:
        app.include_router(router, dependencies=[Depends(admin_admission(limits.admins))])
    for noun in OPEN:
        app.include_router(noun.router, dependencies=[Depends(limits.open)])
    app.add_middleware(RequestMiddleware, limits=limits, metrics=app.state.metrics)
    return app


def _version() -> str:
    try:
        return version("daylight")
    except PackageNotFoundError:
        return "0.0.0"
