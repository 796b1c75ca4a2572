"""What a monitor may know: how many requests were answered how and how fast, and what is degraded; not who asked what.

Each process counts for itself, as Prometheus expects. Labels come from the table of routes and from fixed words, never from a
request, so nobody can fill the memory or smuggle anything in.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from datasets.release.releases import Releases

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST"})
SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
NO_ROUTE = "none"


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self._all = CollectorRegistry()
        self._counted: dict[tuple[str, str | None, int], tuple[Counter, Histogram]] = {}
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
        self._broken_off = Counter(
            "daylight_broken_off",
            "Requests whose answer was not sent to its end.",
            ("route",),
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

    def count(self, method: str, route: str | None, status: int, seconds: float, *, whole: bool) -> None:
        """A request was answered, to the end where it is `whole`; `route` is the template of its address.

        The status is what was sent: 0 where nothing was.
        """
        counted = self._counted.get((method, route, status)) or self._count_also(method, route, status)
        counted[0].inc()
        counted[1].observe(seconds)
        if not whole:
            self._broken_off.labels(route or NO_ROUTE).inc()

    def _count_also(self, method: str, route: str | None, status: int) -> tuple[Counter, Histogram]:
        """The figures of a kind of request; looked up by their labels once for each that the table of routes allows."""
        where = route or NO_ROUTE
        known = method if method in METHODS else "other"
        found = self._requests.labels(known, where, str(status)), self._seconds.labels(where)
        if known == method:
            self._counted[method, route, status] = found
        return found

    def text(self, releases: Releases) -> bytes:
        """All figures in Prometheus' text format."""
        for dataset in releases.store.datasets:
            self._months.labels(dataset).set(len(releases.current(dataset)))
        self._degraded.set(len(releases.degraded))
        return generate_latest(self._all)
