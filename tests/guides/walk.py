"""Guides as programs: the steps that a page of docs/guides asks for, and a copy of the repository to take them in.

A step is one sentence and the block below it:

    Create `FILE`:                          the block is the new file
    In `FILE`, below `BEGINNING`:           the block follows the one line that begins so, apart from blanks
    In `FILE`, above `BEGINNING`:           the block precedes it
    In `FILE`, instead of `BEGINNING`:      the block replaces it
    In `FILE`, at the end:                  the block is added to the file

"the first `BEGINNING`" stands for the first of several such lines.

A block of `sh` is run in the root of the copy, with `bash -euo pipefail`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDES = sorted(path for path in (ROOT / "docs" / "guides").glob("*.md") if path.name != "README.md")
_STEP = re.compile(
    r"^(?:Create `(?P<new>[^`\n]+)`"
    r"|In `(?P<file>[^`\n]+)`, (?:(?P<place>below|above|instead of) (?P<first>the first )?`(?P<anchor>[^`\n]+)`|at the end)):\n+"
    r"```\w*\n(?P<text>.*?)^```$"
    r"|^```sh\n(?P<run>.*?)^```$",
    re.M | re.S,
)
_BLOCK = re.compile(r"^```\w+\n.*?^```$", re.M | re.S)


@dataclass(frozen=True)
class Change:
    """A change of one file: `text` at `place` ("new", "end", or beside the line that begins with `anchor`)."""

    file: str
    place: str
    anchor: str
    text: str
    first: bool = False
    """Whether several lines may begin with the anchor, and the first is meant."""

    def apply(self, root: Path) -> None:
        """Make the change below `root`. Raises AssertionError if the place is not there exactly once."""
        path = root / self.file
        if self.place == "new":
            assert not path.exists(), f"{self.file} exists already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text)
        elif self.place == "end":
            path.write_text(path.read_text() + self.text)
        else:
            lines = path.read_text().splitlines(keepends=True)
            number = self.line(lines)
            before, after = {"below": (1, 1), "above": (0, 0), "instead of": (0, 1)}[self.place]
            lines[number + before : number + after] = [self.text]
            path.write_text("".join(lines))

    def line(self, lines: list[str]) -> int:
        """The number of the line that begins with the anchor."""
        found = [number for number, line in enumerate(lines) if line.strip().startswith(self.anchor)]
        assert found[1:] == [] or self.first, f"{self.file}: {len(found)} lines begin with {self.anchor!r}"
        assert found, f"{self.file}: no line begins with {self.anchor!r}"
        return found[0]


@dataclass(frozen=True)
class Commands:
    """Commands of a shell, to run in the root of the repository."""

    text: str


def steps(guide: Path) -> Iterator[Change | Commands]:
    """The steps of a guide, in order. Raises AssertionError if a block is neither a change nor commands."""
    text = guide.read_text()
    found = list(_STEP.finditer(text))
    placed = {step.end() for step in found}
    for block in _BLOCK.finditer(text):
        assert block.end() in placed, f"{guide.name}: no sentence says where this goes:\n{block[0]}"
    for step in found:
        if step["run"] is not None:
            yield Commands(step["run"])
        elif step["new"]:
            yield Change(step["new"], "new", "", step["text"])
        else:
            place, anchor = step["place"] or "end", step["anchor"] or ""
            yield Change(step["file"], place, anchor, step["text"], bool(step["first"]))


class ScratchCopy:
    """A copy of every file of the repository, with a history of its own and the packages that this process has."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = _git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        for name in filter(None, listed):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        _git(root, "init", "--quiet")
        for setting in ("user.name=Reader", "user.email=reader@example.org", "commit.gpgSign=false"):
            _git(root, "config", *setting.split("="))
        _git(root, "add", "--all")
        _git(root, "commit", "--quiet", "--message", "Begin")
        self._link_environment()

    def _link_environment(self) -> None:
        """A virtual environment for `make`, with the packages of this process, and what mypy knows already."""
        targets = re.findall(r"^\.venv/(\w+):", (self.root / "Makefile").read_text(), re.M)
        self._targets = [self.root / ".venv" / target for target in targets]
        (self.root / ".venv").mkdir()
        for entry in Path(sys.prefix).iterdir():
            if entry.name not in targets:
                (self.root / ".venv" / entry.name).symlink_to(entry)
        if (ROOT / ".mypy_cache").is_dir():  # spares half a minute
            shutil.copytree(ROOT / ".mypy_cache", self.root / ".mypy_cache")

    def run(self, commands: str) -> str:
        """Run commands of a shell in the copy and return what they print. Raises AssertionError if one of them fails."""
        # a guide changes pyproject.toml, after which make would install everything again
        for target in self._targets:
            target.touch()
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.root,
            env={**_environment(), "PYTHONPATH": str(self.root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
        )
        assert ended.returncode == 0, f"{commands}\n{ended.stdout[-6000:]}"
        return ended.stdout


def _environment() -> dict[str, str]:
    """The environment without what pytest, coverage and make have set for this process."""
    ours = ("PYTEST_", "COVERAGE_", "COV_", "MAKE", "MFLAGS", "DAYLIGHT_HOME")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def walk(guide: Path, root: Path) -> str:
    """Take every step of a guide in a new copy of the repository under `root`; returns what is not committed at the end."""
    copy = ScratchCopy(root)
    for step in steps(guide):
        if isinstance(step, Commands):
            copy.run(step.text)
        else:
            step.apply(root)
    return _git(root, "status", "--short")


if __name__ == "__main__":  # python -m tests.guides.walk GUIDE FOLDER
    sys.exit(walk(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()) or None)
