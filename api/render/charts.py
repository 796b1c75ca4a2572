"""Charts of reports as SVG, drawn by matplotlib on the server: values with their intervals as error bars.

The same numbers give the same bytes. Labels stay text in the SVG, in a sans-serif font of the browser.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import nan
from threading import Lock
from typing import TYPE_CHECKING, Any

from datasets.reports.finding import LabelledNumber
from datasets.reports.number import Number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, FAINT, BAR = "#1b3a57", "#8a97a3", "#3b78a8"
WIDTH, HEIGHT = 3.7, 1.9
"""Size of a trend chart in inches: half the width of an A4 page between its margins."""
MAX_CHARTS = 256
"""Charts of each kind in the LRU caches, about 20 kB each, so that the same page in another encoding draws no chart again."""
_MATPLOTLIB_LOCK = Lock()
"""Held while matplotlib draws: its font caches are not thread-safe."""


@lru_cache(MAX_CHARTS)
def trend_chart(parts: tuple[LabelledNumber, ...], scale: float = 1.0) -> str:
    """A chart with a dot and an error bar for each month, as a data URL. Dots are hollow if the status is not A.

    `scale` multiplies the numbers: 100 for shares in per cent.
    """

    def draw(axes: Axes) -> None:
        _draw_points(axes, range(len(parts)), parts, scale, upright=True)
        axes.set_xticks(
            range(len(parts)), [part.of[2:] for part in parts], rotation=90 if len(parts) > 6 else 0
        )
        axes.set_xlim(-0.6, len(parts) - 0.4)
        axes.grid(axis="y", color="#e3e8ec", linewidth=0.6)

    return _svg_data_url(draw, WIDTH, HEIGHT)


@lru_cache(MAX_CHARTS)
def codes_chart(parts: tuple[LabelledNumber, ...], scale: float = 1.0) -> str:
    """A chart with a dot and an error bar for each code, from the top down, as a data URL. Otherwise as `trend_chart`."""

    def draw(axes: Axes) -> None:
        places = range(len(parts))
        _draw_points(axes, places, parts, scale, upright=False)
        axes.set_yticks(places, [part.of if len(part.of) <= 24 else part.of[:23] + "…" for part in parts])
        axes.set_ylim(len(parts) - 0.4, -0.6)
        axes.grid(axis="x", color="#e3e8ec", linewidth=0.6)

    return _svg_data_url(draw, WIDTH, 0.6 + 0.17 * len(parts))


def _draw_points(
    axes: Axes, places: Sequence[int], parts: Sequence[LabelledNumber], scale: float, *, upright: bool
) -> None:
    """Draw the filled and the hollow dots with one `errorbar` call each: a call for each dot doubles the time."""
    known = [(p, part.number) for p, part in zip(places, parts, strict=True) if part.number.value is not None]
    for filled in (True, False):
        kind = [(place, number) for place, number in known if (number.status == "A") == filled]
        if not kind:
            continue
        at = [place for place, _ in kind]
        ends = [_error_bar(number, scale) for _, number in kind]
        values = [value for value, _, _ in ends]
        spread = [[below for _, below, _ in ends], [above for _, _, above in ends]]
        where: dict[str, Any] = (
            {"x": at, "y": values, "yerr": spread} if upright else {"x": values, "y": at, "xerr": spread}
        )
        axes.errorbar(
            **where,
            fmt="o",
            markersize=3.6,
            capsize=2.2,
            linewidth=1.0,
            color=BAR,
            markerfacecolor=BAR if filled else "white",
        )
    (axes.axhline if upright else axes.axvline)(0, color=FAINT, linewidth=0.8)


def _error_bar(number: Number, scale: float) -> tuple[float, float, float]:
    """A value and the lengths of its error bar below and above it: NaN, which is not drawn, if it has no interval."""
    value = (number.value or 0.0) * scale
    if number.lo is None or number.hi is None:
        return value, nan, nan
    return value, max(value - number.lo * scale, 0.0), max(number.hi * scale - value, 0.0)


def _svg_data_url(draw: Callable[[Axes], None], width: float, height: float) -> str:
    """The SVG as a data URL (RFC 2397): the page loads nothing, and no script in the SVG can run."""
    import matplotlib as mpl  # noqa: PLC0415  takes half a second, which only charts should cost
    from matplotlib.figure import Figure  # noqa: PLC0415  likewise
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415  likewise

    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "daylight",
        "font.size": 7,
        "font.family": "sans-serif",
    }
    with _MATPLOTLIB_LOCK, mpl.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(FAINT)
        axes.tick_params(colors=INK, width=0.6, length=2.5)
        along = axes.xaxis if height > HEIGHT or axes.yaxis_inverted() else axes.yaxis
        along.set_major_locator(MaxNLocator(5))
        along.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        sink = io.BytesIO()
        figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(sink.getvalue()).decode()}"
