"""The messages that docs/operations.md quotes are those of the program, so an operator finds them by a search."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.docs.pages import ROOT, page, section

QUOTED = re.findall(
    r"`((?:the|its|may|is|another|holds|\.\.\.)\b[^`\n]* [^`\n]*|\.\.\./[^`\n]* [^`\n]*)`",
    section(page("operations.md"), "When something is wrong"),
)
VARIABLE = re.compile(r"\.\.\.|FOLDER(?:/\.lock)?|FILE|/cursor\.key|\(?DAYLIGHT_\w+\)?|\d+|: ")
"""What differs from case to case in a message, and where one message is put into another."""


def texts() -> Iterator[str]:
    """Every text in the program's modules; what an f-string inserts is a zero character."""
    for folder in ("api", "auth", "cli", "datasets"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(str(v.value) if isinstance(v, ast.Constant) else "\0" for v in node.values)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


@pytest.fixture(scope="module")
def program():
    return "\n".join(texts())


def test_messages_are_found_on_the_page():
    assert len(QUOTED) >= 9


@pytest.mark.parametrize("message", QUOTED)
def test_a_quoted_message_is_one_of_the_program(message, program):
    parts = [part.strip(" ,") for part in VARIABLE.split(message)]
    assert [part for part in parts if part not in program] == []
