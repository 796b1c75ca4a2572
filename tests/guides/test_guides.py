"""Every guide can be followed: its places exist, and its steps, taken in a copy of the repository, leave every check green."""

import pytest

from tests.guides.walk import GUIDES, ROOT, Change, Commands, steps, walk


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_a_guide_changes_files_and_places_that_exist(guide):
    created = set()
    for step in steps(guide):
        if isinstance(step, Commands):
            continue
        if step.place == "new":
            assert not (ROOT / step.file).exists(), step.file
            created.add(step.file)
        elif step.file not in created:
            lines = (ROOT / step.file).read_text().splitlines(keepends=True)
            assert step.place == "end" or 0 <= step.line(lines) < len(lines)
    assert created, "a guide writes at least a test"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_the_table_of_a_guide_names_every_file_that_it_changes(guide):
    table = "\n".join(line for line in guide.read_text().splitlines() if line.startswith("| `"))
    for step in steps(guide):
        assert not isinstance(step, Change) or f"`{step.file}`" in table, step.file


def test_every_guide_is_in_the_list_for_contributors():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert GUIDES
    for guide in GUIDES:
        assert f"(docs/guides/{guide.name})" in text, guide.name


@pytest.mark.extended
@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_the_steps_of_a_guide_leave_every_check_green(guide, tmp_path):
    walk(guide, tmp_path / "copy")
