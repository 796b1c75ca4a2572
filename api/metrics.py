"""What a monitor may know: how many requests were answered how and how fast, and what is degraded; not who asked what.

Each process counts for itself, as Prometheus expects. Labels come from the table of routes and from fixed words, never from a
request, so nobody can fill the memory or smuggle anything in.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from datasets.release.reader import Releases

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST"})
SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
NO_ROUTE = "none"


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self._all = CollectorRegistry()
        self._requests = Counter(
            "daylight_requests", "Requests answered.", ("method", "route", "status"), registry=self._all
        )
        self._seconds = Histogram(
            "daylight_request_seconds",
            "How long requests took.",
            ("route",),
            buckets=SECONDS,
            registry=self._all,
        )
        self._months = Gauge(
            "daylight_months_released", "Months that can be asked.", ("dataset",), registry=self._all
        )
        self._degraded = Gauge(
            "daylight_months_degraded",
            "Months that are not served as their pointer says.",
            registry=self._all,
        )

    def count(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """A request was answered; `route` is the template of its address."""
        where = route or NO_ROUTE
        self._requests.labels(method if method in METHODS else "other", where, str(status)).inc()
        self._seconds.labels(where).observe(seconds)

    def text(self, releases: Releases) -> bytes:
        """All figures in Prometheus' text format."""
        for dataset in releases.datasets:
            self._months.labels(dataset).set(len(releases.current(dataset)))
        self._degraded.set(len(releases.degraded))
        return generate_latest(self._all)
