"""Only tests arm failpoints; in production they do nothing."""

from pathlib import Path

import pytest

from datasets.pipeline.state.failpoints import armed_failpoints, failpoint
from datasets.privacy.ledger import BudgetSpent


def test_only_tests_arm_failpoints():
    root = Path(__file__).parents[4]
    named = [
        path.relative_to(root)
        for folder in ("api", "auth", "cli", "datasets", "bench")
        for path in (root / folder).rglob("*.py")
        if "armed" in path.read_text()
    ]
    assert named == [Path("datasets/pipeline/state/failpoints.py")]
    failpoint("anywhere")  # nothing happens
    with (
        pytest.raises(BudgetSpent),
        armed_failpoints(lambda place: (_ for _ in ()).throw(BudgetSpent(place))),
    ):
        failpoint("anywhere")
