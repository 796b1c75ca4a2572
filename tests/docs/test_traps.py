"""The page on the traps of libraries: each names what guards against it and what would notice."""

import re

import pytest
from hypothesis import settings

from tests.docs.pages import missing_names, named_files, named_tests, page, sections

TRAPS = page("traps.md")


def test_every_file_and_every_test_on_the_page_exists():
    assert missing_names(TRAPS) == []


@pytest.mark.parametrize(("trap", "text"), sections(TRAPS, 3).items(), ids=lambda part: str(part)[:40])
def test_every_trap_has_a_guard_and_a_test(trap, text):
    lines = dict(re.findall(r"^- (Instead|Guard|Test): (.+)$", text, re.M))
    assert lines.keys() == {"Instead", "Guard", "Test"}, trap
    assert named_files(lines["Guard"]), trap
    assert named_tests(lines["Test"]), trap


def test_the_page_has_its_traps():
    assert len(sections(TRAPS, 3)) > 30


def test_hypothesis_has_no_deadline():
    assert settings.get_profile(settings.get_current_profile_name()).deadline is None
    assert settings.get_profile("ci").derandomize
