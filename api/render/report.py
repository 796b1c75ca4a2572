"""A report as an HTML page to read and to print: charts with error bars, each next to a table of its values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.metadata import version

from api.render import html
from api.render.charts import codes_chart, trend_chart
from datasets.release.format.status import CONFIDENCE, COVERS
from datasets.reports.commitment import Commitment, Fact, Indicator
from datasets.reports.commitments import COMMITMENTS
from datasets.reports.finding import Finding, LabelledNumber
from datasets.reports.number import STATUS, Number
from datasets.reports.report import Report

MATPLOTLIB_VERSION = version("matplotlib")
SECURITY_HEADERS = {
    **html.SECURITY_HEADERS,
    "Content-Security-Policy": html.SECURITY_HEADERS["Content-Security-Policy"] + "; img-src data:",
}
"""As for other pages, but data URLs are allowed for images: the charts are part of the page."""
STYLE = """
@page { size: A4; margin: 16mm 14mm }
.report { color: #1b2733; max-width: 52rem; margin: auto; font-size: 15px }
.report h1 { font-size: 1.7rem; margin-bottom: .2rem }
.report h2 { border-top: 3px solid #1b3a57; padding-top: .7rem; margin-top: 2.4rem; font-size: 1.25rem }
.report h3 { font-size: 1rem; margin: 1.6rem 0 .3rem }
.report table { font-size: .8rem; margin: .3rem 0; font-variant-numeric: tabular-nums }
.report td, .report th { padding: .1rem .45rem }
.report .n { text-align: right; white-space: nowrap }
.report .law, .report .foot { color: #55626e; font-size: .82rem; margin: .15rem 0 }
.report .head { font-size: 1.02rem; margin: .2rem 0 }
.report .pair { display: grid; grid-template-columns: 23rem 1fr; gap: 1rem; align-items: start; break-inside: avoid }
.report .pair img { width: 100%; height: auto }
.report .indicator { break-inside: avoid-page }
.report .gaps { background: #f4f6f8; padding: .5rem .9rem .5rem 1.8rem; margin: 1rem 0; font-size: .9rem }
.report .gaps li { margin: .2rem 0 }
.report code { font-size: .78rem; overflow-wrap: anywhere }
@media (max-width: 44rem) { .report .pair { grid-template-columns: 1fr } }
@media print { body { margin: 0; padding: 0; max-width: none } .report { max-width: none; font-size: 8.5pt }
  .report .pair { grid-template-columns: 82mm 1fr } .report h2 { margin-top: 7mm } .report h3 { margin-top: 4mm }
  .report h2, .report h3, .report .head, .report .by { break-after: avoid } .report .gaps, .report tr { break-inside: avoid }
  .report .indicator { break-inside: auto } }
"""
MAX_CODES = 40
"""Codes that a breakdown shows at most; the CSV has all of them."""


def report_page(report: Report) -> bytes:
    """The page, with its charts and styles inside it."""
    title = f"Report on the commitments, {report.period}"
    return html.page(
        title,
        f'<style>{STYLE}</style><main class="report">',
        f"<h1>{escape(title)}</h1><p>{report.period.dates.replace('/', ' to ')}.</p>",
        "".join(
            f"<p>{escape(coverage.dataset)}: {escape(coverage.sentence())}</p>"
            for coverage in report.coverages
        ),
        f"<p>Each value stands with its {CONFIDENCE:.0%} interval in brackets, and a status; in charts a hollow dot has a "
        f"status other than A. {escape(COVERS)}</p>",
        html.table(("status", "meaning"), STATUS.items()),
        _summary_table(report),
        *(_commitment_section(commitment, report) for commitment in COMMITMENTS),
        "".join(f'<p class="foot">{escape(warning)}</p>' for warning in report.warnings),
        "</main>",
    )


def _summary_table(report: Report) -> str:
    """A table of all indicators with their values and changes."""
    rows = []
    for commitment in COMMITMENTS:
        for declared in commitment.indicators:
            finding = report.findings[declared.name]
            change = _value_and_interval(finding.change.number, declared.unit) if finding.change else ""
            rows.append(
                f"<tr><td>{commitment.number}</td><td>{escape(declared.title)}</td>"
                f'<td class="n">{_value_and_interval(finding.number, declared.unit)}</td><td>{finding.number.status}</td>'
                f'<td class="n">{change}</td></tr>'
            )
    before = f" from {report.period.previous}" if report.period.previous else ""
    return (
        '<h2>All indicators</h2><table><thead><tr><th></th><th>indicator</th><th class="n">value</th><th></th>'
        f"<th class='n'>change{before}</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _commitment_section(commitment: Commitment, report: Report) -> str:
    gaps = "".join(f"<li>{escape(gap)}</li>" for gap in commitment.gaps)
    return "".join(
        (
            f'<h2 id="{commitment.name}">{commitment.number}. {escape(commitment.title)}</h2>',
            f'<p>{escape(commitment.promise)}</p><p class="law">{escape(commitment.law)}</p>',
            *(
                _indicator_section(declared, report.findings[declared.name])
                for declared in commitment.indicators
            ),
            f'<h3>Not measured</h3><ul class="gaps">{gaps}</ul>',
        )
    )


def _indicator_section(declared: Indicator | Fact, finding: Finding) -> str:
    return "".join(
        (
            '<section class="indicator">',
            *_indicator_lines(declared, finding),
            "</section>",
            *_breakdown(declared, finding),
        )
    )


def _indicator_lines(declared: Indicator | Fact, finding: Finding) -> Iterator[str]:
    value = _number_text(finding.number.value, declared.unit)
    yield f'<h3>{escape(declared.title)}</h3><p class="head"><strong>{value}</strong>'
    if finding.number.se != 0:
        yield f" {_interval_text(finding.number, declared.unit)}"
    yield f' <span class="law">{finding.number.status}; {escape(declared.law)}</span></p>'
    if declared.note:
        yield f'<p class="foot">{escape(declared.note)}</p>'
    if finding.change is not None:
        change = finding.change
        number = (
            f" {_value_and_interval(change.number, declared.unit, sign=True)}"
            if change.number.value is not None
            else ""
        )
        yield f'<p class="foot">{escape(change.sentence)}{number}</p>'
    if finding.trend:
        alt = f"{declared.title}, by month: {_alt_text(finding.trend, declared.unit)}"
        chart = trend_chart(tuple(finding.trend), _display_factor(declared.unit))
        yield _chart_and_table(chart, alt, "month", finding.trend, declared.unit)
    if isinstance(declared, Indicator):
        yield f'<p class="foot">{declared.dataset}: <code>{escape(finding.question)}</code></p>'


def _breakdown(declared: Indicator | Fact, finding: Finding) -> Iterator[str]:
    """An indicator by code: the codes with the largest values, in the order of the code list."""
    if not isinstance(declared, Indicator) or not finding.by:
        return
    known = [part for part in finding.by if part.number.value is not None]
    largest = sorted(known, key=lambda part: -(part.number.value or 0.0))[:MAX_CODES]
    parts = [part for part in known if part in largest]
    if parts:
        by = declared.by.replace("_", " ")
        alt = f"{declared.title}, by {by}: {_alt_text(parts, declared.unit)}"
        yield f'<p class="foot by">{escape(declared.title)}, by {by}:</p>'
        yield _chart_and_table(
            codes_chart(tuple(parts), _display_factor(declared.unit)), alt, by, parts, declared.unit
        )


def _chart_and_table(chart: str, alt: str, of: str, parts: Sequence[LabelledNumber], unit: str) -> str:
    """A chart next to a table of its values, which is also readable without the image."""
    rows = "".join(
        f'<tr><td>{escape(part.label)}</td><td class="n">{_number_text(part.number.value, unit)}</td>'
        f'<td class="n">{_interval_text(part.number, unit)}</td><td>{part.number.status}</td></tr>'
        for part in parts
    )
    heads = f'<tr><th>{escape(of)}</th><th class="n">value</th><th class="n">interval</th><th></th></tr>'
    return (
        f'<div class="pair"><img src="{chart}" alt="{escape(alt)}">'
        f"<table><thead>{heads}</thead><tbody>{rows}</tbody></table></div>"
    )


def _alt_text(parts: Sequence[LabelledNumber], unit: str) -> str:
    """The alternative text of a chart: its least and its largest value; the table has all of them."""
    known = [part for part in parts if part.number.value is not None]
    if not known:
        return "no value"
    least, most = (pick(known, key=lambda part: part.number.value or 0.0) for pick in (min, max))
    low, high = (f"{_number_text(part.number.value, unit)} ({part.label})" for part in (least, most))
    return f"from {low} to {high}; the table beside it has every value."


def _value_and_interval(number: Number, unit: str, *, sign: bool = False) -> str:
    interval = "" if number.se == 0 else f" {_interval_text(number, unit)}"
    return f"{_number_text(number.value, unit, sign=sign)}{interval}"


def _interval_text(number: Number, unit: str) -> str:
    if number.lo is None or number.hi is None:
        return "[no interval]" if number.value is not None else ""
    return f"[{_number_text(number.lo, unit)}, {_number_text(number.hi, unit)}]"


def _number_text(value: float | None, unit: str, *, sign: bool = False) -> str:
    """A number rounded for display; CSV and JSON have all its digits."""
    if value is None:
        return "–"
    plus = "+" if sign else ""
    if unit in {"share", "difference of shares"}:
        return f"{value * 100:{plus}.2f} %"
    if unit == "hours":
        return f"{value:{plus}.1f} h"
    return f"{value:{plus},.0f}".replace("-0", "0") if abs(value) < 0.5 else f"{value:{plus},.0f}"


def _display_factor(unit: str) -> float:
    return 100.0 if unit in {"share", "difference of shares"} else 1.0
