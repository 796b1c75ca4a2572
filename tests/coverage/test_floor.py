"""The floor of coverage: what fails, and that the floor has never been lowered."""

import subprocess
from itertools import pairwise

import pytest

from tests.coverage.__main__ import FLOOR, complaints, raised_floor

HISTORY = ["git", "log", "--format=", "--patch", "--unified=0", "--", FLOOR.name]


@pytest.mark.parametrize(
    ("total", "files", "words"),
    [
        (89.99, {}, "below the floor of 90.0"),
        (90.5, {"api/app.py": 79.9, "api/errors.py": 80.0}, "79.9 % of api/app.py"),
    ],
)
def test_a_total_below_the_floor_and_a_file_below_80_percent_fail(total, files, words):
    (complaint,) = complaints(total, files, floor=90.0)
    assert words in complaint


def test_a_total_at_the_floor_passes():
    assert list(complaints(90.0, {"api/app.py": 80.0}, floor=90.0)) == []


@pytest.mark.parametrize(("total", "after"), [(93.99, 93.4), (90.6, 90.1), (90.5, 90.0), (80.0, 90.0)])
def test_the_floor_rises_with_the_total_and_never_falls(total, after):
    assert raised_floor(total, floor=90.0) == after


def test_the_floor_has_never_been_lowered():
    """Every change of the file since it exists; in a copy without a history there is none to check."""
    found = subprocess.run(HISTORY, cwd=FLOOR.parent, capture_output=True, text=True, check=False)
    newest_first = [
        float(line[1:]) for line in found.stdout.splitlines() if line[:1] == "+" and line[1:2] != "+"
    ]
    floors = [float(FLOOR.read_text()), *newest_first]
    assert all(newer >= older for newer, older in pairwise(floors)), floors
