"""A codebook for people and for spreadsheets: the same words as in JSON, as CSV and as Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import orjson

from api.formats import FORMATS
from datasets.release.codebook import Codebook


def as_json(book: Codebook) -> tuple[bytes, str]:
    return orjson.dumps(book.model_dump(mode="json")), FORMATS["json"]


def as_csv(book: Codebook) -> tuple[bytes, str]:
    """A line for each code of each level."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["dimension", "level", "code", "label", "within", "code_list", "source", "law"])
    for dimension in book.dimensions:
        for level in dimension.levels:
            for code in level.codes:
                writer.writerow(
                    [dimension.name, level.name, code.code, code.label, code.within or "", level.code_list, level.source,
                     dimension.law]
                )  # fmt: skip
    return text.getvalue().encode(), FORMATS["csv"]


def as_markdown(book: Codebook) -> tuple[bytes, str]:
    """A chapter for each dimension, with a table of its codes."""
    lines = [
        f"# {book.title}: codebook, {book.month}",
        "",
        f"{book.grain[:1].upper()}{book.grain[1:]} is an event.",
        "",
    ]
    lines += ["| measure | what it is | kind |", "|---|---|---|"]
    lines += [f"| `{measure.name}` | {_cell(measure.title)} | {measure.kind} |" for measure in book.measures]
    lines += [f"| `{entry.name}` | {_cell(entry.title)} | {entry.kind} |" for entry in book.derived]
    for dimension in book.dimensions:
        for level in dimension.levels:
            lines += ["", f"## `{level.name}`: {dimension.title}", "", f"Source: {level.source}.", ""]
            lines += ["| code | label | within |", "|---|---|---|"]
            lines += [
                f"| `{code.code}` | {_cell(code.label)} | {code.within or ''} |" for code in level.codes
            ]
    return ("\n".join(lines) + "\n").encode(), "text/markdown; charset=utf-8"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


CODEBOOK: dict[str, Callable[[Codebook], tuple[bytes, str]]] = {
    "json": as_json,
    "csv": as_csv,
    "md": as_markdown,
}
