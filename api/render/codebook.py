"""A codebook as JSON, as CSV for spreadsheets, and as Markdown for people.

The shares of rows that contribution bounding kept are added from the release's manifest: of each event measure, in all and
for each code of a dimension's first level, with their intervals.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from datasets.release.format.codebook import Codebook
from datasets.release.format.manifest import KeptEntry, ShareEntry

KeptShares = Mapping[str, KeptEntry]


class CodebookDocument(Codebook):
    """A codebook, and by measure the shares of rows that contribution bounding kept."""

    kept: dict[str, KeptEntry]


def as_document(book: Codebook, kept: KeptShares) -> CodebookDocument:
    members = {name: getattr(book, name) for name in Codebook.model_fields}
    return CodebookDocument(**members, kept=dict(kept))


def as_csv(book: Codebook, kept: KeptShares) -> bytes:
    """A CSV row for each code of each level."""
    text = io.StringIO()
    writer = csv.writer(text)
    shares = [f"{name}_kept{end}" for name in kept for end in ("", "_lo", "_hi")]
    writer.writerow(["dimension", "level", "code", "label", "within", "code_list", "source", "law", *shares])
    for dimension in book.dimensions:
        for level in dimension.levels:
            for code in level.codes:
                writer.writerow(
                    [dimension.name, level.name, code.code, code.label, code.within or "", level.code_list, level.source,
                     dimension.law, *(n for entry in kept.values() for n in _share_columns(entry, level.name, code.code))]
                )  # fmt: skip
    return text.getvalue().encode()


def as_markdown(book: Codebook, kept: KeptShares) -> bytes:
    """A chapter for each level of each dimension, with a table of its codes."""
    lines = [
        f"# {book.title}: codebook, {book.month}",
        "",
        f"{book.grain[:1].upper()}{book.grain[1:]} is an event.",
        "",
    ]
    lines += ["| measure | what it is | kind |", "|---|---|---|"]
    lines += [
        f"| `{measure.name}` | {_escape_pipes(measure.title)} | {measure.kind} |" for measure in book.measures
    ]
    lines += [f"| `{entry.name}` | {_escape_pipes(entry.title)} | {entry.kind} |" for entry in book.derived]
    for name, entry in kept.items():
        lines += ["", f"Kept of `{name}`: {_share_text(entry.overall)}. {entry.note}"]
    for dimension in book.dimensions:
        for level in dimension.levels:
            names = [name for name in kept if level.name in kept[name].by]
            lines += ["", f"## `{level.name}`: {dimension.title}", "", f"Source: {level.source}.", ""]
            heads = ["code", "label", "within", *(f"kept of {name}" for name in names)]
            lines += [_markdown_row(heads), "|---" * len(heads) + "|"]
            for code in level.codes:
                shares = [_share_text(kept[name].by[level.name][code.code]) for name in names]
                lines.append(
                    _markdown_row([f"`{code.code}`", _escape_pipes(code.label), code.within or "", *shares])
                )
    return ("\n".join(lines) + "\n").encode()


def _markdown_row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share_columns(entry: KeptEntry, level: str, code: str) -> tuple[float | str, ...]:
    share = entry.by.get(level, {}).get(code)
    if share is None:
        return "", "", ""
    return tuple("" if number is None else number for number in (share.share, share.lo, share.hi))


def _share_text(share: ShareEntry) -> str:
    if share.share is None:
        return "lost in noise"
    interval = "" if share.lo is None or share.hi is None else f" ({share.lo:.1%} to {share.hi:.1%})"
    return f"{share.share:.1%}{interval}"


def _escape_pipes(text: str) -> str:
    return text.replace("|", "\\|")
