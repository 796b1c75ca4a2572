"""A scratch copy: only the verdict of a test counts, and after a break the copy is as it was."""

import pytest

from tests.promises.scratch import ScratchCopy
from tests.promises.table import Promise

PROFILE = "from hypothesis import settings\nsettings.register_profile('promises')\n"


class SmallScratchCopy(ScratchCopy):
    """A copy that holds one module and one test."""

    def __init__(self, folder):
        self.folder, self._runs = folder / "tree", folder / "runs"
        self._env = {}
        for path in (self.folder, self._runs):
            path.mkdir()
        (self.folder / "conftest.py").write_text(PROFILE)
        (self.folder / "fruit.py").write_text("def apples():\n    return 4\n")
        (self.folder / "test_fruit.py").write_text(
            "import fruit\n\n\ndef test_apples():\n    assert fruit.apples() == 4\n"
        )


@pytest.mark.parametrize(
    ("new", "kind"),
    [
        ("return 5", "failure"),
        ("return 2 + 2", "passed"),
        ("return four", "error"),
        ("return (4", "error"),
    ],
)
def test_only_a_verdict_of_the_test_itself_counts_as_kept(tmp_path, new, kind):
    copy = SmallScratchCopy(tmp_path)
    promise = Promise(
        "Fruit", "There are four apples.", "fruit.py", "return 4", new, "a bug", "test_fruit.py::test_apples"
    )
    with copy.broken(promise):
        assert copy.run_tests([promise.test]).kind == kind
    assert copy.run_tests([promise.test]).kind == "passed"


def test_a_break_whose_text_is_not_found_once_is_refused(tmp_path):
    copy = SmallScratchCopy(tmp_path)
    promise = Promise(
        "Fruit", "There are four apples.", "fruit.py", "return 7", "", "a bug", "test_fruit.py::test_apples"
    )
    with (
        pytest.raises(ValueError, match="fruit.py: the text to replace occurs 0 times"),
        copy.broken(promise),
    ):
        pass
