"""What the pages under docs/ name: files, tests, and the tables under a heading."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    """The text of a page under docs/."""
    return (ROOT / "docs" / name).read_text("utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next heading of the same depth."""
    (body,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return str(body)


def sections(text: str, depth: int) -> dict[str, str]:
    """Every section of this depth by its heading."""
    marks = "#" * depth
    return dict(re.findall(rf"^{marks} ([^\n]+)\n(.*?)(?=^#{{2,{depth}}} |\Z)", text, re.M | re.S))


def table(text: str, heading: str, number: int = 0) -> list[list[str]]:
    """The rows of a table of a section, without its header; code marks are removed."""
    blocks = re.findall(r"(?:^\|.*\n)+", section(text, heading), re.M)
    lines = blocks[number].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def replace_rows(text: str, heading: str, rows: list[list[str]]) -> str:
    """The text of a page with other rows in the first table under a heading; header and all the rest stay."""
    body = section(text, heading)
    lines = re.findall(r"(?:^\|.*\n)+", body, re.M)[0].splitlines(keepends=True)
    written = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return text.replace(body, body.replace("".join(lines), "".join(lines[:2]) + written))


def named_files(text: str) -> list[str]:
    """The files of the repository that a page names in code marks, those of its tests among them."""
    found = re.findall(r"`((?:api|auth|bench|cli|datasets|tests)/[\w/.-]+|pyproject\.toml|Makefile)", text)
    return sorted(set(found))


def named_tests(text: str) -> list[tuple[str, str]]:
    """The tests that a page names: file and function."""
    return sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text)))


def missing_names(text: str) -> list[str]:
    """What a page names and the repository does not have."""
    files = [name for name in named_files(text) if not (ROOT / name).is_file()]
    tests = [f"{file}::{test}" for file, test in named_tests(text) if not _defines(ROOT / file, test)]
    return files + tests


def _defines(file: Path, test: str) -> bool:
    return (
        file.is_file() and re.search(rf"^(?:async )?def {test}\(", file.read_text("utf-8"), re.M) is not None
    )
