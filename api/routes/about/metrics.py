"""GET /metrics: metrics of this process in the text format of Prometheus."""

from __future__ import annotations

from fastapi import Request
from prometheus_client import CONTENT_TYPE_LATEST

from api.dependencies import PublishedReleases
from api.http.parameters import DECLARED_PARAMETERS
from api.http.responses import NO_STORE, DescribedResponse
from api.http.router import Router
from api.server.metrics import Metrics

router = Router(tags=["health"], dependencies=[DECLARED_PARAMETERS])


class MetricsText(DescribedResponse):
    """The text format of Prometheus."""

    media_type = CONTENT_TYPE_LATEST


@router.get("/metrics", summary="Metrics for monitoring")
async def metrics(request: Request, releases: PublishedReleases) -> MetricsText:
    """Metrics of this process in the text format of Prometheus.

    Requests by method, route and status, their duration, responses that broke off, months released and months degraded. They
    show neither who asked nor what was asked. If they should not be public, block the path in the proxy.
    """
    counted: Metrics = request.app.state.metrics
    return MetricsText(counted.text(releases), headers=NO_STORE)
