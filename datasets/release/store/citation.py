"""How to cite a release, or one question asked of it: BibTeX, and CSL-JSON (Citation Style Language 1.0.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasets.release.answer.release import Release

_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


@dataclass(frozen=True, slots=True)
class Citation:
    """What is cited: the releases, their address, and hashes that identify them independently of the address."""

    key: str
    publisher: str
    title: str
    version: str
    published: str
    url: str
    note: str

    def csl(self) -> list[dict[str, Any]]:
        """An item of type `dataset`."""
        date = [int(part) for part in self.published[:10].split("-")]
        return [
            {
                "id": self.key,
                "type": "dataset",
                "title": self.title,
                "author": [{"literal": self.publisher}],
                "publisher": self.publisher,
                "issued": {"date-parts": [date]},
                "version": self.version,
                "URL": self.url,
                "note": self.note,
            }
        ]

    def bibtex(self) -> str:
        """An entry of type `misc`, which every BibTeX style supports."""
        fields = {
            "author": f"{{{_escape_tex(self.publisher)}}}",
            "title": f"{{{_escape_tex(self.title)}}}",
            "year": self.published[:4],
            "month": self.published[5:7].lstrip("0"),
            "version": _escape_tex(self.version),
            "howpublished": f"\\url{{{self.url}}}",
            "note": _escape_tex(self.note),
        }
        lines = [f"  {name} = {{{value}}}" for name, value in fields.items()]
        return f"@misc{{{self.key},\n" + ",\n".join(lines) + "\n}\n"


def citation_of(
    releases: Sequence[Release], publisher: str, url: str, *, query_id: str = "", path: str = ""
) -> Citation:
    """The citation of releases of one dataset, or of the question `query_id` asked of them, found at `url` + `path`."""
    first, last = releases[0].manifest, releases[-1].manifest
    months = first.month if first.month == last.month else f"{first.month} to {last.month}"
    names = ", ".join(release.name for release in releases)
    hashes = "; ".join(f"manifest of {release.name}: SHA-256 {release.fingerprint}" for release in releases)
    return Citation(
        key="-".join(filter(None, ("daylight", first.dataset, re.sub(r"\W", "-", last.release), query_id))),
        publisher=publisher,
        title=f"{last.title}, {months}: anonymised aggregates",
        version=names,
        published=last.published_at,
        url=f"{url.rstrip('/')}{path}",
        note=f"query {query_id}; {hashes}" if query_id else hashes,
    )


def _escape_tex(text: str) -> str:
    """
    >>> _escape_tex("A & B_1")
    'A \\\\& B\\\\_1'
    """
    return "".join(_SPECIAL.get(c, f"\\{c}" if c in "&%$#_{}" else c) for c in text)
