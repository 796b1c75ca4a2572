"""The application: settings in, application out. The only place where things are wired together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import Depends, FastAPI

from api import errors
from api.access.admission import admin_admission, admission
from api.access.rate_limits import RateLimits
from api.access.registry_calls import RegistryExecutor
from api.access.throttle import FailedLoginThrottle
from api.query.cursor_key import cursor_key, serving_copy_key
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

WITHOUT_TOKEN = (
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
QUESTIONS = (aggregates, reports)
FILES = (files,)
WITHOUT_QUOTA = (plan, me)


def create_app(settings: ApiSettings | None = None, registry: RegistrySettings | None = None) -> FastAPI:
    """The API of one deployment. Its lifespan opens everything when the server starts and closes it when the server stops.

    Raises LimitsSwitchedOff if the environment would switch its rate limits off.
    """
    settings = settings or ApiSettings()
    limits = RateLimits(settings)
    app = FastAPI(
        title="Daylight",
        version=_version(),
        lifespan=_lifespan_of(settings, registry or RegistrySettings()),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # questions must not reach a trace
    )
    app.state.settings = settings
    app.state.metrics = Metrics()
    app.state.login_throttle = FailedLoginThrottle(settings.limit_attempts)
    errors.install_handlers(app, limits.limit_exceeded_response)
    _include_routes(app, limits)
    app.add_middleware(RequestMiddleware, limits=limits, metrics=app.state.metrics)
    return app


def _lifespan_of(
    settings: ApiSettings, registry: RegistrySettings
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
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
            cache_key=serving_copy_key(settings),
        )
        app.state.releases.store.watch()
        app.state.registry_executor = RegistryExecutor()
        app.state.query_executor = QueryExecutor(settings.workers, settings.deadline_seconds)
        app.state.results = ResultCache(app.state.query_executor, settings.answers_mib << 20)
        try:
            async with background.flush_periodically(app.state.registry):
                yield
        finally:
            app.state.query_executor.close()
            app.state.registry_executor.close()
            app.state.releases.close()
            app.state.registry.close()

    return lifespan


def _include_routes(app: FastAPI, limits: RateLimits) -> None:
    """Every route behind its admission or, if it needs no token, behind the limit per address."""
    admit_question = admission(limits.project, quota=True)
    app.state.known_queries = KnownQueryRoute(admit_question)
    # first, so that a known question is not routed and parsed
    app.router.routes.insert(0, app.state.known_queries)
    for noun in QUESTIONS:
        app.include_router(noun.router, dependencies=[Depends(admit_question)])
    for noun in FILES:
        app.include_router(noun.router, dependencies=[Depends(admission(limits.files, quota=True))])
    for noun in WITHOUT_QUOTA:
        app.include_router(noun.router, dependencies=[Depends(admission(limits.plans, quota=False))])
    for router in admin.ROUTERS:
        app.include_router(router, dependencies=[Depends(admin_admission(limits.admins))])
    for noun in WITHOUT_TOKEN:
        app.include_router(noun.router, dependencies=[Depends(limits.open)])


def _version() -> str:
    try:
        return version("daylight")
    except PackageNotFoundError:
        return "0.0.0"
