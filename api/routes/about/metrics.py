"""GET /metrics: figures for a monitor."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.dependencies import PublishedReleases, only_parameters
from api.server.metrics import Metrics

router = APIRouter(tags=["health"], dependencies=[Depends(only_parameters())])


@router.get("/metrics", summary="Figures for a monitor")
async def metrics(request: Request, releases: PublishedReleases) -> Response:
    """Requests by method, route and status, their duration, answers broken off, months released or degraded, of this process.

    In Prometheus' text format. It tells nothing of who asked or what; let the proxy keep it from the public where wanted.
    """
    counted: Metrics = request.app.state.metrics
    return Response(counted.text(releases), 200, {"Cache-Control": "no-store"}, CONTENT_TYPE_LATEST)
