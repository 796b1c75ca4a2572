"""What the whole suite shares: one way for hypothesis to search, and one deployment with real releases."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from xdist.scheduler.loadfile import LoadFileScheduling

from tests.deployment import Deployment
from tests.postgresql import postgresql as postgresql

settings.register_profile("laptop", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "laptop")


class ByFile(LoadFileScheduling):
    """The tests of a file run in one process, and all of reports in one, since their releases take long to build."""

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        return "tests/datasets/reports" if file.startswith("tests/datasets/reports") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A registry, a ledger and signed releases of moderation for May and June 2026, made as an admin makes them.

    Tests share it and must not change it; those that must take a copy.
    """
    made = Deployment(tmp_path_factory.mktemp("deployment"))
    for month in ("2026-05", "2026-06"):
        made.release("moderation", month)
    yield made
    made.close()
