"""Metadata as plain HTML pages, which load nothing and run no script."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}
"""A browser loads nothing and runs no script, whatever the text of a page contains."""
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}"
    "td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left;vertical-align:top}"
    "code{background:#f3f3f3;padding:0 .2rem}"
)


def page(title: str, *parts: str) -> bytes:
    """An HTML document. `parts` are HTML already; `title` is escaped."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{"".join(parts)}</body></html>\n'
    ).encode()


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """An HTML table of escaped cells."""
    head = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def catalogue_page(cards: list[dict[str, Any]]) -> bytes:
    """The catalogue: the datasets with their measures, dimensions, coverage, privacy cost and access."""
    return page("Daylight: the catalogue", "<h1>The catalogue</h1>", *map(_dataset_section, cards))


def _meaning_of_rho(loss: dict[str, Any]) -> str:
    power = loss["power_of_best_5_percent_test"]
    return f"epsilon {loss['epsilon']['1e-09']} at delta 1e-9, power of the best 5 % test {power:.1%}"


def _dataset_section(card: dict[str, Any]) -> str:
    name, privacy, modality = escape(card["name"]), card["privacy"], card["modality"]
    links = ", ".join(f'<a href="{escape(link)}">{escape(rel)}</a>' for rel, link in card["links"].items())
    facts = {
        "one row of raw data": card["grain"],
        "months": ", ".join(card["coverage"]) or "none yet",
        "refreshed": card["refresh"],
        "protected": f"{privacy['unit']}: rho {privacy['rho_per_month']} a month, {_meaning_of_rho(privacy)}; "
        f"in twelve months rho {privacy['twelve_months']['rho']}, {_meaning_of_rho(privacy['twelve_months'])}",
        "access": f"{modality['title']}. {modality['technical']} {modality['organisational']}",
        "law": "; ".join(card["law"]),
        "known gaps": " ".join(card["gaps"]),
        "late events": card["late_events"],
    }
    measures = [(m["name"], m["title"], m["kind"]) for m in (*card["measures"], *card["derived"])]
    return "".join(
        (
            f'<h2 id="{name}">{escape(card["title"])} <code>{name}</code></h2><p>{links}</p>',
            table(("", ""), facts.items()),
            table(("measure", "what it is", "kind"), measures),
            table(
                ("dimension", "what it is", "levels", "law"),
                [(d["name"], d["title"], " > ".join(d["levels"]), d["law"]) for d in card["dimensions"]],
            ),
            table(
                ("systemic risk", "DSA", "measure against it", "DSA"),
                [(r["risk"], r["risk_law"], r["measure"], r["measure_law"]) for r in card["risks"]],
            ),
        )
    )


def problem_page(name: str, status: int, title: str, remedy: str, detail: str) -> bytes:
    """A page about a kind of refusal: its meaning, the remedy and an example."""
    return page(
        title,
        f"<h1>{escape(name)}</h1><p><strong>{status}</strong> {escape(title)}.</p><p>{escape(remedy)}</p>",
        f'<blockquote>{escape(detail)}</blockquote><p><a href="/problems">Every kind of refusal</a></p>',
    )
