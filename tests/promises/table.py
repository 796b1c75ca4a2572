"""The promises of the architecture page: what is promised, the file and the test that keep it, and a break of that file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("promises.toml")
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- promises: begin -->\n", "<!-- promises: end -->\n"


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise, and the change of one file after which its test must fail.

    In `file`, the text `old` occurs exactly once; `new` takes its place. `bug` says in words what is then wrong.
    """

    topic: str
    sentence: str
    file: str
    old: str
    new: str
    bug: str
    test: str
    """A pytest node: a function, or one case of it."""

    @property
    def test_file(self) -> str:
        return self.test.split("::")[0]

    @property
    def test_name(self) -> str:
        """The name of the test function, without its file and without the case."""
        return self.test.split("::")[1].split("[")[0]


def read_promises() -> tuple[Promise, ...]:
    """Every promise, in the order of the page."""
    table = tomllib.loads(TABLE.read_text("utf-8"))
    return tuple(
        Promise(topic=topic["name"], **promise) for topic in table["topic"] for promise in topic["promise"]
    )


def page_text(promises: tuple[Promise, ...]) -> str:
    """The tables of the page, one for each topic, in Markdown."""
    return "\n".join(
        f"### {topic}\n\n| promise | kept by | test |\n|---|---|---|\n" + "".join(map(_row, of_topic))
        for topic, of_topic in groupby(promises, lambda promise: promise.topic)
    )


def _row(promise: Promise) -> str:
    return (
        f"| {promise.sentence} | [{promise.file}](../{promise.file}) | "
        f"[{promise.test_name}](../{promise.test_file}) |\n"
    )


def write_page() -> None:
    """Replace the tables of the page by those of the promises. Raises ValueError if the page lacks a marker."""
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}{page_text(read_promises())}{END}{after}", "utf-8")
