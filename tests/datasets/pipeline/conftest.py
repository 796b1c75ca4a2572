"""A small deployment with events in it, which tests of the pipeline build releases in."""

import pytest

from tests.datasets.pipeline.interruptions import PLENTY, SEEDS
from tests.datasets.pipeline.small_deployment import (
    SmallDeployment,
    crates,
)


@pytest.fixture
def deployment(tmp_path):
    made = SmallDeployment(tmp_path / "deployment", PLENTY, SEEDS).put(crates(30, 10))
    yield made
    made.ledger.close()
