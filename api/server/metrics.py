"""Metrics for Prometheus: number, status and duration of requests, and degraded months; nothing about clients and questions.

Each process counts for itself, as Prometheus expects. Labels come from the table of routes and from fixed words, never from a
request, so that a client can neither fill the memory nor put text of its own into the output.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from datasets.release.releases import Releases

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST"})
SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
NO_ROUTE = "none"


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._collectors = CollectorRegistry()
        self._series: dict[tuple[str, str | None, int], tuple[Counter, Histogram]] = {}
        self._requests = Counter(
            "daylight_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._collectors,
        )
        self._seconds = Histogram(
            "daylight_request_seconds",
            "How long requests took.",
            ("route",),
            buckets=SECONDS,
            registry=self._collectors,
        )
        self._broken_off = Counter(
            "daylight_broken_off",
            "Requests whose answer was not sent to its end.",
            ("route",),
            registry=self._collectors,
        )
        self._months = Gauge(
            "daylight_months_released", "Months that can be asked.", ("dataset",), registry=self._collectors
        )
        self._degraded = Gauge(
            "daylight_months_degraded",
            "Months that are not served as their pointer says.",
            registry=self._collectors,
        )

    def count(self, method: str, route: str | None, status: int, seconds: float, *, whole: bool) -> None:
        """Count an answered request. `whole`: the answer was sent to its end; `route`: the template of the path.

        The status is the one that was sent, or 0 if nothing was sent.
        """
        requests, seconds_taken = self._series.get((method, route, status)) or self._add_series(
            method, route, status
        )
        requests.inc()
        seconds_taken.observe(seconds)
        if not whole:
            self._broken_off.labels(route or NO_ROUTE).inc()

    def _add_series(self, method: str, route: str | None, status: int) -> tuple[Counter, Histogram]:
        """The series of one kind of request. They are kept, because finding them by label is slow, if the method is known."""
        where = route or NO_ROUTE
        known = method if method in METHODS else "other"
        found = self._requests.labels(known, where, str(status)), self._seconds.labels(where)
        if known == method:
            self._series[method, route, status] = found
        return found

    def text(self, releases: Releases) -> bytes:
        """All metrics in Prometheus' text format."""
        for dataset in releases.store.datasets:
            self._months.labels(dataset).set(len(releases.current(dataset)))
        self._degraded.set(len(releases.degraded))
        return generate_latest(self._collectors)
