"""GET /metrics: metrics of this process in the text format of Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.dependencies import PublishedReleases, only_parameters
from api.server.metrics import Metrics

router = APIRouter(tags=["health"], dependencies=[Depends(only_parameters())])


@router.get("/metrics", summary="Metrics for monitoring")
async def metrics(request: Request, releases: PublishedReleases) -> Response:
    """Metrics of this process in the text format of Prometheus.

    Requests by method, route and status, their duration, responses that broke off, months released and months degraded. They
    show neither who asked nor what was asked. If they should not be public, block the path in the proxy.
    """
    counted: Metrics = request.app.state.metrics
    return Response(counted.text(releases), 200, {"Cache-Control": "no-store"}, CONTENT_TYPE_LATEST)
