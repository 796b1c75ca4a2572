"""Every guide can be followed: its places exist, and its steps, taken in a copy of the repository, leave every check green."""

import re

import pytest

from tests.guides.walk import GUIDES, ROOT, Change, Commands, steps, walk

MIGRATIONS = "auth/migrations/versions"


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


def test_the_migration_of_a_guide_is_the_one_after_the_last():
    """So that the guide can be followed as it is: whoever adds a migration renumbers it there."""
    last = max(int(path.name[1:5]) for path in (ROOT / MIGRATIONS).glob("v[0-9]*.py"))
    created = [
        step
        for guide in GUIDES
        for step in steps(guide)
        if isinstance(step, Change) and step.place == "new" and step.file.startswith(MIGRATIONS)
    ]
    assert created
    for step in created:
        assert step.file.startswith(f"{MIGRATIONS}/v{last + 1:04}_")
        assert f'revision = "{last + 1:04}"\ndown_revision = "{last:04}"\n' in step.text
    downgrades = [
        number
        for guide in GUIDES
        for number in re.findall(r'migrate\.downgrade\(engine, "(\d+)"', guide.read_text())
    ]
    assert set(downgrades) == {f"{last:04}"}


@pytest.mark.extended
@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_the_steps_of_a_guide_leave_every_check_green_and_everything_committed(guide, tmp_path):
    assert walk(guide, tmp_path / "copy") == ""
